# Makes the unit of an instance of rcptguard, NAME@.SUFFIX, out of that of the one without a name: what it reads, writes
# and wakes is the instance's own, by the defaults of rcptguard.conf(5).
s,@sysconfdir@/rcptguard/rcptguard\.conf,@sysconfdir@/rcptguard/%i.conf,g
s,@sysconfdir@/rcptguard/policy,@sysconfdir@/rcptguard/%i.policy,g
s,@localstatedir@/lib/rcptguard,@localstatedir@/lib/rcptguard-%i,g
s,\(@sbindir@/rcptguardd -[fn]\),\1 -c @sysconfdir@/rcptguard/%i.conf,g
s,\(@sbindir@/rcptguardq [a-z]*\),\1 --instance %i,g
s,/var/spool/postfix,/var/spool/%i,g
s,/var/lib/postfix,/var/lib/%i,g
s,-/run/rcptguard ,-/run/rcptguard-%i ,g
s,^StateDirectory=rcptguard$,&-%i,
s,^Description=rcptguard,& %i,
s, postfix@-\.service,,
s,^\(After=.*\) postfix\.service,\1 postfix.service postfix@%i.service,
s,rcptguard init$,rcptguard init -p @sysconfdir@/rcptguard/%i.policy --postfix-config /etc/%i,
s,^ExecStartPre=-+systemd-tmpfiles .*,&\
# As that of the one without a name: the group of Postfix lets it connect.\
ExecStartPre=-+/bin/sh -c 'test ! -d /var/spool/%i || install -d -o rcptguard -g postfix -m 2750 /var/spool/%i/rcptguard'\
RuntimeDirectory=rcptguard-%i\
RuntimeDirectoryMode=0750,
