" Policies of rcptguard: /etc/rcptguard/policy, *.rcptguard, and *.policy that begins with a version.
autocmd BufNewFile,BufRead */rcptguard/policy,*.rcptguard setfiletype rcptguard
autocmd BufNewFile,BufRead policy,*.policy if getline(nextnonblank(1)) =~# '^\s*version\>'
    \ || (getline(1) =~# '^\s*#' && search('^\s*version\>', 'cnw') > 0) | setfiletype rcptguard | endif
