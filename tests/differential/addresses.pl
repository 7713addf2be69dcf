# Email::Address::XS as a filter: a header value in hex a line; user:host pairs in hex come back.
use strict;
use warnings;
use Email::Address::XS qw(parse_email_groups);

$| = 1;
binmode STDIN;
binmode STDOUT;
print "Email::Address::XS $Email::Address::XS::VERSION\n";
while (my $line = <STDIN>) {
    chomp $line;
    my @groups = parse_email_groups(pack('H*', $line));
    my @found;
    while (my ($name, $addresses) = splice @groups, 0, 2) {
        for my $address (@$addresses) {
            my ($user, $host) = ($address->user, $address->host);
            push @found, unpack('H*', $user) . ':' . unpack('H*', $host) if defined $user && defined $host;
        }
    }
    print "@found\n";
}
