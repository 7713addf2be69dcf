" Vim syntax file
" Language: policies of rcptguard, see rcptguard-policy(5)

if exists('b:current_syntax')
    finish
endif

syntax case match
" A name may have hyphens: `tag` in `tag-me` is no keyword.
syntax iskeyword a-z,48-57,45

syntax keyword rcptguardStatement version contact class outbound expect rule default
syntax keyword rcptguardClause approvals when until domain match domains individuals separate monitor
syntax keyword rcptguardWord from is message to bcc at file gives by of in
syntax keyword rcptguardLogic and or not
syntax keyword rcptguardAction accept tag quarantine reject tempfail
syntax keyword rcptguardFact authenticated local syntax malformed truncated visible parties recipients hidden header
syntax keyword rcptguardFact sender user client listener

syntax match rcptguardNumber /\<\d\+\>/
syntax match rcptguardDate /\<\d\d\d\d-\d\d-\d\d\>/
syntax match rcptguardOperator />=\|<=\|=\~\|[<>=]/
syntax match rcptguardComment /#.*$/ contains=@Spell

syntax region rcptguardString start=/"/ skip=/\\./ end=/"/ oneline contains=rcptguardEscape,rcptguardVariable,@Spell
syntax match rcptguardEscape /\\["\\]\|{{/ contained
syntax match rcptguardVariable /{[a-z][a-z0-9 -]*}/ contained
syntax region rcptguardRegex start=+/+ skip=+\\.+ end=+/+ oneline

highlight default link rcptguardStatement Statement
highlight default link rcptguardClause Keyword
highlight default link rcptguardWord Keyword
highlight default link rcptguardLogic Operator
highlight default link rcptguardAction Function
highlight default link rcptguardFact Identifier
highlight default link rcptguardNumber Number
highlight default link rcptguardDate Constant
highlight default link rcptguardOperator Operator
highlight default link rcptguardComment Comment
highlight default link rcptguardString String
highlight default link rcptguardEscape SpecialChar
highlight default link rcptguardVariable Special
highlight default link rcptguardRegex PreProc

let b:current_syntax = 'rcptguard'
