# A milter with Sendmail::PMilter that counts who is in To and Cc, and logs a line a message.
#
# usage: count_milter.pl SOCKET

use strict;
use warnings;
use Sendmail::PMilter qw(:all);
use Sys::Syslog qw(:standard :macros);

use constant LIMIT => 6000;
use constant CHILDREN => 8;

sub begin {
    my ($context) = @_;
    $context->setpriv({lists => [], envelope => 0});
    return SMFIS_CONTINUE;
}

sub recipient {
    my ($context) = @_;
    $context->getpriv()->{envelope}++;
    return SMFIS_CONTINUE;
}

sub header {
    my ($context, $name, $value) = @_;
    push @{$context->getpriv()->{lists}}, $value if lc($name) eq 'to' || lc($name) eq 'cc';
    return SMFIS_CONTINUE;
}

sub end {
    my ($context) = @_;
    my $count = 0;
    for my $list (@{$context->getpriv()->{lists}}) {
        $count++ while $list =~ /[^\s,<>"]+\@[^\s,<>"]+/g;
    }
    syslog(LOG_INFO, '%s: verdict=%s visible=%d envelope=%d', $context->getsymval('i') // '', $count >= LIMIT ? 'reject' : 'accept', $count,
        $context->getpriv()->{envelope});
    return SMFIS_ACCEPT if $count < LIMIT;
    $context->setreply('550', '5.7.1', 'too many recipients');
    return SMFIS_REJECT;
}

openlog('count-perl', 'ndelay,pid', LOG_MAIL);
my $milter = Sendmail::PMilter->new();
$milter->setconn($ARGV[0]);
$milter->register('count', {envfrom => \&begin, envrcpt => \&recipient, header => \&header, eom => \&end}, SMFI_CURR_ACTS);
$milter->set_dispatcher(Sendmail::PMilter::prefork_dispatcher(max_children => CHILDREN, max_requests_per_child => 1e9));
$milter->main();
