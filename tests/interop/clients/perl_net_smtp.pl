# perl_net_smtp - Perl's core Net::SMTP; its AUTH PLAIN names the user twice.
use strict;
use warnings;
use Net::SMTP;

my ($token, $from, $to) = @ENV{qw(INTEROP_TOKEN INTEROP_FROM INTEROP_TO)};
my ($domain) = $from =~ /@(.*)/;
my $smtp = Net::SMTP->new($ENV{INTEROP_HOST}, Port => $ENV{INTEROP_PORT},
                          Timeout => 30) or die "connect: $@\n";

sub must {
    my ($done, $what) = @_;
    die "$what: ", $smtp->code, ' ', $smtp->message, "\n" unless $done;
}

must($smtp->starttls(SSL_ca_file => $ENV{INTEROP_CA},
                     SSL_verifycn_name => $ENV{INTEROP_HOST}), 'starttls');
must($smtp->auth($ENV{INTEROP_USER}, $ENV{INTEROP_PASSWORD}), 'auth');
must($smtp->mail($from), 'mail');
must($smtp->to($to), 'rcpt');
must($smtp->data(<<"MAIL"), 'data');
From: $from
To: $to
Subject: Nightly report $token
Message-ID: <$token\@$domain>

Nothing to report.
.a line that starts with a dot
MAIL
my $reply = $smtp->code . ' ' . $smtp->message;
$smtp->quit;
print Net::SMTP->VERSION, ' ', $reply =~ s/\s+/ /gr, "\n";
