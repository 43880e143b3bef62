#!/usr/bin/env python3
"""explain, causes and findings on the real command line: replies from standard input, every form of a code, exit statuses."""
import json
import os
import pty
import subprocess

import common
from common import run

FIXTURES = os.path.join(common.ROOT, "tests", "replies", "fixtures.tsv")


# What is pasted, and the cause (or kind) of each answer.
PASTED = (
    ("550-5.7.1 [198.51.100.7] The IP you're using to send mail is not authorized to\n"
     "550-5.7.1 send email directly to our servers. Please use the SMTP relay at your\n"
     "550 5.7.1 service provider instead.\n", ["mail-ip-reputation"]),
    ("RCPT: 550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 Please check it.\n"
     "MAIL: 552 5.3.4 Message size exceeds fixed limit\n", ["rcpt-unknown-user", "mail-size-announced"]),
    ("<bob@example.org>: host mx.example.org[198.51.100.25] said: 550 5.1.1\n"
     "    <bob@example.org>: Recipient address rejected: User unknown in virtual\n"
     "    mailbox table (in reply to RCPT TO command)\n", ["rcpt-unknown-user"]),
    ("This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could not\n"
     "be delivered to one or more recipients.\n\n<bob@example.org>: host mx.example.org[198.51.100.25] said: 552 5.3.4\n"
     "    Message size exceeds fixed limit (in reply to end of DATA command)\n", ["data-size-exceeded"]),
    ("Reporting-MTA: dns; mail.example.net\n\nFinal-Recipient: rfc822; bob@example.org\nAction: failed\nStatus: 5.1.1\n"
     "Diagnostic-Code: smtp; 550 5.1.1 <bob@example.org>: Recipient address\n    rejected: User unknown\n", ["rcpt-unknown-user"]),
    ("Hi. This is the qmail-send program at example.net.\n\n<bob@example.org>:\n198.51.100.25 does not like recipient.\n"
     "Remote host said: 550 5.1.1 User unknown\nGiving up on 198.51.100.25.\n", ["rcpt-unknown-user"]),
    ("An error occurred while sending mail. The mail server responded:\n5.7.1 <bob@example.com>: Relay access denied.\n"
     "Please check the message recipient \"bob@example.com\" and try again.\n", ["rcpt-relay-denied"]),
    ("javax.mail.SendFailedException: Invalid Addresses;\n  nested exception is:\ncom.sun.mail.smtp.SMTPAddressFailedException: "
     "550 5.1.1 <bob@example.org> User unknown\n\tat com.sun.mail.smtp.SMTPTransport.rcptTo(SMTPTransport.java:2079)\n", ["rcpt-unknown-user"]),
    ("Address not found\nYour message wasn't delivered to bob@example.org because the domain example.org couldn't be found.\n\n"
     "The response was:\n\nDNS Error: DNS type 'mx' lookup of example.org responded with code NXDOMAIN Domain name not found: example.org\n",
     ["rcpt-domain-not-found"]),
    ("2026-01-05 10:00:00 SERVER -> CLIENT: 220 mx.example.org ESMTP\n2026-01-05 10:00:00 CLIENT -> SERVER: EHLO www.example.net\n"
     "2026-01-05 10:00:00 SERVER -> CLIENT: 250-mx.example.org\n250 SIZE\n2026-01-05 10:00:00 CLIENT -> SERVER: MAIL FROM:<anna@example.net>\n"
     "2026-01-05 10:00:00 SERVER -> CLIENT: 553 5.7.1 <anna@example.net>: Sender address rejected: not owned by user bob\n"
     "2026-01-05 10:00:00 CLIENT -> SERVER: QUIT\n2026-01-05 10:00:00 SERVER -> CLIENT: 221 2.0.0 Bye\n", ["mail-sender-not-owned"]),
    ("2026-01-05T10:00:00.1Z,EX01,08DC,2,192.0.2.10:2534,192.0.2.1:25,<,220 mx.example.org,\n"
     "2026-01-05T10:00:00.2Z,EX01,08DC,3,192.0.2.10:2534,192.0.2.1:25,>,EHLO mail.example.net,\n"
     "2026-01-05T10:00:00.3Z,EX01,08DC,4,192.0.2.10:2534,192.0.2.1:25,<,501 5.5.4 Invalid domain name,\n", ["hello-rejected-syntax"]),
    ("Die Übermittlung ist für folgende Empfänger oder Gruppen fehlgeschlagen:\n\nbob@example.org\nDer Empfänger nimmt 550 Mails an.\n\n"
     "Diagnoseinformationen für Administratoren:\n\nGenerierender Server: mail.example.net\n\nbob@example.org\n"
     "Remote Server returned '554 5.7.1 <bob@example.org>: Relay access denied'\n", ["rcpt-relay-denied"]),
    ("Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.\n\n      Betreff:\tBestellung 450 und 550\n\n"
     "Folgende(r) Empfänger kann/können nicht erreicht werden:\n\n      'bob@example.org' am 24.11.2026 11:51\n"
     "            Serverfehler: '554 5.7.1 <bob@example.org>: Relay access denied'\n", ["rcpt-relay-denied"]),
    ("Delivery to the following recipients failed.\n\n     bob@example.org\n\nTechnical details of permanent failure: \nGoogle tried to deliver "
     "your message, but it was rejected by the server for the recipient domain example.org by mx.example.org. [192.0.2.1].\n\n"
     "The error that the other server returned was:\n552 5.2.2 <bob@example.org> Mailbox full\n", ["rcpt-mailbox-full"]),
    ("Sorry, we were unable to deliver your message to the following address.\n\n<bob@example.org>:\n"
     "554: 5.7.1 <bob@example.org>: Relay access denied\n", ["rcpt-relay-denied"]),
    ("mailnews.smtp: S: 220 mx.example.org\nmailnews.smtp: C: EHLO [192.0.2.1]\nmailnews.smtp: S: 250 mx.example.org\n"
     "mailnews.smtp: C: MAIL FROM:<anna@example.net>\nmailnews.smtp: S: 250 2.1.0 Ok\nmailnews.smtp: C: RCPT TO:<bob@example.org>\n"
     "mailnews.smtp: S: 550 5.1.1 User unknown\nmailnews.smtp: Command failed: 550 5.1.1 User unknown\n", ["rcpt-unknown-user"]),
    ("An unknown error has occurred.\n\nSubject 'test'\nServer Error: 550\nServer Response: 550 5.7.1 Unable to relay\n"
     "Server: 'mail.example.com'\nWindows Live Mail Error ID: 0x800CCC79\nProtocol: SMTP\nPort: 25\nSecure(SSL): No\n", ["rcpt-relay-denied"]),
    ("220 mx.example.org ESMTP\nEHLO pc\n250-mx.example.org\n250 SIZE\nMAIL FROM:<anna@example.net>\n450 4.1.8 Domain not found\n"
     "RCPT TO:<bob@example.org>\n503 5.5.1 need MAIL command\n", ["mail-sender-domain"]),
    ("<-  220 mx.example.org ESMTP\n -> EHLO pc\n<-  250 mx.example.org\n -> MAIL FROM:<anna@example.net>\n<-  250 2.1.0 Ok\n"
     " -> RCPT TO:<bob@example.org>\n<-  250 2.1.5 Ok\n -> DATA\n<-  354 go\n -> \n -> .\n<** 554-5.7.1 Message rejected\n"
     "<** 554 5.7.1 as spam\n -> QUIT\n<-  221 2.0.0 Bye\n", ["data-spam-rejected"]),
)


def fixtures():
    with open(FIXTURES, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return rows[1:]


class Explain(common.Case):
    def one(self, *words):
        result = run("explain", "-o", "json", *words)
        self.assertEqual(result.status, 0, result.err)
        return result.records()[0]

    def test_replies_from_standard_input(self):
        rows = fixtures()
        self.assertGreaterEqual(len(rows), 120)
        for prefix in ("%s: %s\n", "%s %s\n"):
            lines = "".join(prefix % (row[0], row[1]) for row in rows)
            result = run("explain", stdin=lines.encode())
            self.assertEqual((result.status, result.err), (0, ""))
            for row, record in zip(rows, result.records(), strict=True):
                self.assertEqual((record["type"], record["kind"]), ("explanation", "reply"), row)
                self.assertEqual((record["cause"], record["decided_by"]), (row[2], row[3]), row)
                self.assertTrue(record["stage_given"], row)
                self.assertTrue(record["summary"] and record["advice"] and record["references"], row)

    def test_stage_as_verb_in_any_case(self):
        for prefix in ("RCPT:", "rcpt:", "Rcpt To:", "rcpt"):
            self.assertEqual(self.one(prefix + " 550 5.7.1 Relaying denied")["stage"], "rcpt")
        self.assertEqual(self.one("EHLO: 550 Access denied")["cause"], "hello-rejected-policy")
        self.assertEqual(self.one("DATA: 554 5.5.1 no valid recipients")["stage"], "data")

    def test_a_command_that_carries_no_mail_is_refused(self):
        record = self.one("502 5.5.1 VRFY command is disabled")
        self.assertEqual((record["kind"], record["cause"], record["code"], record["stage"]), ("reply-code", None, 502, None))
        self.assertIn("carries no mail", record["summary"])

    def test_a_reply_without_its_stage_is_read_where_its_code_belongs(self):
        for words, stage, cause in (
                ("550 5.2.1 The email account that you tried to reach is disabled", "rcpt", "rcpt-disabled"),
                ("Diagnostic-Code: smtp; 550 5.2.1 The email account that you tried to reach is disabled", "rcpt", "rcpt-disabled"),
                ("554 5.7.1 Ihre E-Mail wurde als SPAM eingestuft", "final", "data-spam-rejected"),
                ("535 5.7.8 The account is disabled", "auth", "auth-account-disabled"),
                ("Mensaje rechazado por spam", "final", "data-spam-rejected"),
                ("Empfänger abgelehnt", "rcpt", "rcpt-unknown-user"),
                ("504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", "hello", "hello-rejected-policy"),
                ("501 5.1.3 Bad recipient address syntax", "rcpt", "rcpt-syntax"),
                ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", "greeting", "mail-ip-reputation"),
                ("502 5.5.1 AUTH not implemented", "auth", "auth-not-offered"),
                ('500 5.5.1 Command unrecognized: "AUTH PLAIN"', "auth", "auth-not-offered"),
                ('500 Unrecognized command "STARTTLS"', "starttls", "starttls-rejected-perm"),
                ("500 Syntax error, command unrecognized", "hello", "hello-ehlo-unsupported"),
                ("501 5.5.2 Cannot decode: syntax error in base64", "auth", "auth-malformed"),
                ("Remote server returned '550 5.4.300 Message expired'", "rcpt", "data-temp-failure")):
            record = self.one(words)
            self.assertEqual((record["kind"], record["stage"], record["cause"]), ("reply", stage, cause), words)
        self.assertEqual(run("explain", "-o", "json", "spam").records()[0]["kind"], "unknown")  # one short word

    def test_a_dialog_that_quotes_the_server_without_the_basic_code(self):
        shown = "An error occurred while sending mail. The mail server responded: %s Please check the message recipient \"bob@example.com\" and try again."
        self.assertEqual(self.one(shown % "5.7.1 <bob@example.com>: Relay access denied.")["cause"], "rcpt-relay-denied")
        self.assertEqual(self.one("The server responded: 4.7.0 Temporary authentication failure")["cause"], "auth-temp-failure")
        self.assertEqual(self.one("Cannot send message using the server mx.example.org. The server response was: 5.7.8 Error: authentication failed")["cause"],
                         "auth-bad-credentials")
        self.assertEqual(self.one(shown % "no.")["client_codes"][0]["code"], "errorSendingRcptCommand")
        password = "Unable to authenticate to Outgoing server (SMTP) mx.example.org. Please check the password."
        self.assertEqual(self.one(password)["client_codes"][0]["code"], "smtpAuthFailure")
        self.assertNotEqual(self.one("Thunderbird: 5.0.1 is running, 0x800CCC0E")["kind"], "reply")  # a version

    def test_what_the_server_said_is_told_from_what_stands_around_it(self):
        refused = "0x800CCC79, Subject '%s', Account: 'mail', Server: 'mx.example.org', Protocol: SMTP, Server Response: '550 5.7.1 Relaying denied', Port: 25"
        for subject in ("421 parts", "your 552 order", "test"):
            self.assertEqual(self.one(refused % subject)["cause"], "rcpt-relay-denied", subject)
        bounce = self.one("Your message did not reach some or all of the intended recipients.\n\n      Subject:\tOrder 450 and 550\n\n"
                          "      'bob@example.org' on 11/24/2026 11:51 AM\n            Server error: '554 5.7.1 <bob@example.org>: Relay access denied'\n")
        self.assertIn('one of them: "554 5.7.1 <bob@example.org>: Relay access denied".', bounce["meaning"])
        for quoted in ("\"%s\"", "'%s'", "%s"):
            self.assertIn('one of them: "550 5.7.1 Relaying denied".', self.one(quoted % "550 5.7.1 Relaying denied")["meaning"])
        for said in ("The server responded: 5.7.1 Relaying denied", "RCPT: 5.7.1 Relaying denied"):  # not 550, which nobody said
            record = self.one(said)
            self.assertIn('one of them: "5.7.1 Relaying denied".', record["meaning"])
            self.assertEqual((record["code"], record["enhanced"], record["permanence"]), (None, "5.7.1", "permanent"))

    def test_pasted_lines_that_belong_together(self):
        for text, causes in PASTED:
            result = run("explain", stdin=text.encode())
            self.assertEqual([record["cause"] or record["kind"] for record in result.records()], causes, text)
            if len(causes) == 1:  # the same in an argument
                self.assertEqual(self.one(text)["cause"], causes[0], text)

    def test_a_paste_into_a_terminal(self):
        """At once it is one thing; what is typed later is answered by itself."""
        master, slave = pty.openpty()
        with subprocess.Popen([common.PROGRAM, "explain"], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            for text, causes in (PASTED[0], ("450 4.2.0 greylisted, try again later\n", ["rcpt-greylisted"]), PASTED[6]):
                os.write(master, text.encode())
                self.assertEqual(json.loads(program.stdout.readline())["cause"], causes[0])
            os.write(master, b"\x04")
            self.assertEqual(program.stdout.read(), b"")
        os.close(master)
        os.close(slave)

    def test_a_list_stays_a_list(self):
        lines = ["550-5.7.1 one line of two", "551 another", "frobnicate", "  450 4.2.0 greylisted",
                 "The mail server responded: 5.7.1 <bob@example.com>: Relay access denied.", "Diagnostic-Code: smtp; 550 5.1.1 User unknown",
                 "host mx.example.org said: 452 4.2.2 Mailbox full", "550 5.7.1 no\\n550 5.7.1 way", "0x800CCC0B"]
        for text in ("\n".join(lines), "\n".join(reversed(lines)), "\n\n".join(lines[:4])):
            wanted = [line.strip() for line in text.split("\n") if line]
            self.assertEqual([record["query"] for record in run("explain", stdin=text.encode()).records()], wanted)

    def test_a_long_list(self):
        """Longer than anything that is looked at as a whole."""
        text = "".join("rcpt: 550-5.1.1 no such user %0200d\n550 5.1.1 here\n" % i for i in range(1500))
        records = run("explain", stdin=text.encode()).records()
        self.assertGreaterEqual(len(records), 1500)
        self.assertEqual({record["cause"] for record in records}, {"rcpt-unknown-user"})
        self.assertLess(len(records), 1503)

    def test_no_login_of_a_pasted_dialogue_comes_back(self):
        for text in ("EHLO pc\n250 ok\nAUTH LOGIN\n334 VXNlcm5hbWU6\nYW5uYQ==\n334 UGFzc3dvcmQ6\nbGFiLVNlY3JldC00NzEx\n535 5.7.8 no\n",
                     "C: AUTH PLAIN AGFubmEAbGFiLVNlY3JldC00NzEx\nS: 535 5.7.8 no\n"):
            for result in (run("explain", stdin=text.encode()), run("explain", text)):
                self.assertNotIn("bGFiLVNlY3JldC00NzEx", result.out)
                self.assertIn("auth-bad-credentials", result.out)

    def test_every_form_of_a_windows_code(self):
        for form in ("0x800CCC0B", "0x800ccc0b", "800CCC0B", "2148322315", "-2146644981", "(0x800CCC0B)",
                     "Outlook says 0x800CCC0B when sending"):
            record = self.one(form)
            self.assertEqual((record["kind"], record["client_codes"][0]["code"]), ("client-code", "0x800CCC0B"), form)

    def test_what_libraries_say(self):
        """As logs have it; the sentence that tells most wins, and it alone is quoted."""
        for words, said, causes in (
                ("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)", '"wrong version number"',
                 {"mode-tls-to-plain-port", "tls-version-mismatch"}),
                ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1131)", '"certificate has expired"',
                 {"tls-cert-expired", "tls-clock-wrong"}),
                ("certificate verify failed: self-signed certificate in certificate chain", '"self-signed certificate in certificate chain"',
                 {"tls-cert-unknown-ca", "mbx-tls-intercept", "mbx-av-proxy"}),
                ("warning: TLS library problem: error:0A000418:SSL routines::tlsv1 alert unknown ca:ssl/record/rec_layer_s3.c:1590:SSL alert number 48:",
                 '"alert unknown ca"', {"tls-cert-unknown-ca", "tls-cert-self-signed", "tls-cert-chain-incomplete", "tls-cert-name-mismatch"}),
                ("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", '"Unsupported or unrecognized SSL message"',
                 {"mode-tls-to-plain-port"}),
                ("javax.mail.MessagingException: Could not convert socket to TLS; nested exception is: javax.net.ssl.SSLHandshakeException: "
                 "No appropriate protocol (protocol is disabled or cipher suites are inappropriate)", '"No appropriate protocol"',
                 {"tls-version-mismatch"}),
                ("javax.mail.MessagingException: Could not connect to SMTP host: smtp.example.com, port: 587; nested exception is: "
                 "java.net.ConnectException: Connection timed out: connect", '"nested exception is: … Exception: Connection timed out"',
                 {"tcp-syn-timeout", "tcp-port25-blocked"}),
                ("javax.mail.MessagingException: Exception reading response; nested exception is: java.net.SocketException: Connection reset",
                 '"Exception: Connection reset"', {"tcp-reset-by-server", "tcp-server-closed-early", "greet-closed-no-banner"}),
                ("javax.mail.MessagingException: Could not connect to SMTP host: smtp.example.com, port: 25",
                 '"Could not connect to SMTP host: …, port"', {"tcp-syn-timeout", "tcp-refused", "tcp-port25-blocked"}),
                ("gnutls_handshake() failed: An unexpected TLS packet was received.", '"An unexpected TLS packet was received"', {"mode-tls-to-plain-port"}),
                ("msmtp: TLS certificate verification failed: the certificate hasn't got a known issuer",
                 '"certificate hasn\'t got a known issuer"', {"tls-cert-unknown-ca", "tls-cert-chain-incomplete", "tls-cert-self-signed"}),
                ("status=deferred (TLSA lookup error for mx.example.org:25)", '"TLSA lookup error for"', {"dns-servfail", "dns-timeout"}),
                ("Error: unable to verify the first certificate { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }", '"unable to verify the first certificate"',
                 {"tls-cert-unknown-ca", "tls-cert-chain-incomplete"}),
                ("socket.gaierror: [Errno -3] Temporary failure in name resolution", '"Temporary failure in name resolution"',
                 {"dns-timeout", "dns-servfail", "dns-resolver-unreachable"}),
                ("4057:error:0A000153:SSL routines:ssl3_read_bytes:no renegotiation:../ssl/record/rec_layer_s3.c:1618:", '"no renegotiation"',
                 {"tcp-client-closed-early"})):
            record = self.one(words)
            self.assertEqual(record["kind"], "client-code", words)
            self.assertEqual(set(record["causes"]), causes, words)
            self.assertTrue(record["summary"].startswith(said + " "), record["summary"])
        for words, causes in (
                ("Outlook cannot connect to your outgoing (SMTP) e-mail server. If you continue to receive this message, contact your provider.",
                 {"tcp-syn-timeout", "tcp-refused", "tcp-port25-blocked", "net-icmp-prohibited"}),
                ("smtplib: TimeoutError: timed out",
                 {"tcp-syn-timeout", "tcp-port25-blocked", "greet-no-banner", "mode-plain-to-tls-port", "smtp-reply-timeout"}),
                ("Net::OpenTimeout: execution expired", {"tcp-syn-timeout", "tcp-port25-blocked", "greet-no-banner"}),
                ("Failure sending mail. ---> System.Net.WebException: Unable to connect to the remote server",
                 {"tcp-syn-timeout", "tcp-refused", "tcp-port25-blocked"}),
                ("status=deferred (Cannot start TLS: handshake failure)",
                 {"tls-version-mismatch", "tls-no-shared-cipher", "tls-server-error", "tls-handshake-timeout"}),
                ("Your server does not support the connection encryption type you have specified.",
                 {"mode-tls-to-plain-port", "starttls-not-offered", "tls-version-mismatch", "tls-no-shared-cipher"}),
                ("Delivery incomplete. Gmail will retry for 47 more hours. The response was: The recipient server did not accept our requests to connect.",
                 {"tcp-syn-timeout", "tcp-refused", "greet-no-banner"})):
            self.assertEqual(set(self.one(words)["causes"]), causes, words)
        # what says more than its library stays what it is
        self.assertEqual(self.one("SSL_connect error to mx.example.org[192.0.2.1]:25: Connection timed out")["client_codes"][0]["code"], "10060")
        # a verdict lists what the users of mail programs see
        shown = {code["client"] for code in self.one("tls-cert-expired")["client_codes"]}
        self.assertTrue(shown)
        self.assertNotIn("programs with OpenSSL", shown)

    def test_what_a_sending_server_says_of_the_next_one(self):
        """In its queue and in bounces: what it was told itself counts, not that it gave up over it."""
        for words, cause, permanence in (
                ("550 5.4.300 Message expired -> 451 4.3.2 Temporary server error. Please try again later ATTR5", "mail-server-error", "temporary"),
                ("Remote server returned '550 5.0.350 Remote server returned an error -> 552 5.2.2 Mailbox full'", "rcpt-mailbox-full", "permanent"),
                ("550 5.4.312 Message expired, DNS query failed -> DNS query failed: NonExistentDomain", "rcpt-domain-not-found", "permanent"),
                ("550 5.4.316 Message expired, connection refused(Socket error code 10061)", "tcp-refused", "permanent"),
                ("451 4.4.0 Primary target IP address responded with: \"421 4.4.1 Connection timed out.\" Attempted failover to alternate host",
                 "tcp-syn-timeout", "temporary"),
                ("454 4.7.5 Certificate validation failure, Reason:SubjectMismatch", "tls-cert-name-mismatch", "temporary"),
                ("450 4.7.321 starttls-not-supported: Destination mail server must support TLS to receive mail.", "starttls-not-offered", "temporary"),
                ("450 4.7.324 dnssec-invalid: Destination domain returned invalid DNSSEC records", "dns-servfail", "temporary"),
                ("The server response was: 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, "
                 "the user credentials were incorrect.", "auth-bad-credentials", "permanent"),
                ("DNS Error: DNS type 'mx' lookup of example.org responded with code SERVFAIL", "rcpt-domain-not-found", "permanent"),
                ("all relevant MX records point to non-existent hosts", "rcpt-domain-not-found", "permanent")):
            record = self.one(words)
            self.assertEqual((record["cause"], record["permanence"]), (cause, permanence), words)

    def test_a_reply_that_was_taken_apart(self):
        """PHPMailer, and WordPress and shops with it: the words first, the code behind them."""
        for words, cause, stage in (
                ("SMTP Error: data not accepted.SMTP server error: DATA END command failed Detail: Sender address rejected: not owned by user "
                 "anna@example.net SMTP code: 553 Additional SMTP info: 5.7.1", "mail-sender-not-owned", "final"),
                ("The following From address failed: shop@example.net : MAIL FROM command failed,Authentication required,530,5.7.1SMTP server error: "
                 "MAIL FROM command failed Detail: Authentication required SMTP code: 530 Additional SMTP info: 5.7.1",
                 "auth-required-not-attempted", "mail"),
                ("SMTP Error: data not accepted. SMTP server error: DATA END command failed Detail: Rejected as spam SMTP code: 550",
                 "data-spam-rejected", "final")):
            record = self.one(words)
            self.assertEqual((record["cause"], record["stage"]), (cause, stage), words)
        self.assertIn('"553 5.7.1 not owned by user anna"', self.one("Detail: not owned by user anna SMTP code: 553 Additional SMTP info: 5.7.1")["meaning"])

    def test_log_lines(self):
        for line, cause, stage in (
                ("Jan  5 10:00:00 mx postfix/smtp[9]: 4ABCD: to=<bob@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, dsn=2.0.0, "
                 "status=sent (250 2.0.0 Ok: queued as 4XYZ)", "ok-delivered", "final"),
                ("Jan  5 10:00:00 mx sm-mta[9]: 405A: to=<bob@example.org>, relay=mx.example.org. [192.0.2.1], dsn=2.0.0, stat=Sent (250 ok)",
                 "ok-delivered", "final"),
                ("2026-01-05 10:00:00 1rL-0001 => bob@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] C=\"250 OK id=1rL\"",
                 "ok-delivered", "final"),
                ("Jan  5 10:00:00 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <bob@example.org>: Relay access "
                 "denied; from=<a@b.example> to=<bob@example.org> proto=ESMTP helo=<pc>", "rcpt-relay-denied", "rcpt"),
                ("2026-01-05T10:00:00.123Z,EX01\\Internet,08DC,12,192.0.2.10:25345,192.0.2.1:25,<,550 5.1.1 User unknown,", "rcpt-unknown-user", "rcpt")):
            record = self.one(line)
            self.assertEqual((record["cause"], record["stage"]), (cause, stage), line)
        self.assertNotEqual(self.one("relay=local, delay=0.1, dsn=2.0.0, status=sent (delivered to maildir)")["kind"], "reply")

    def test_a_number_between_words_is_no_verdict(self):
        for words in ("Our phone number is 0421 550 555", "for 450 minutes nothing was sent", "the printer shows error 550 when scanning"):
            record = self.one(words)
            self.assertEqual((record["kind"], record["cause"]), ("reply-code", None), words)
        for words in ("the server said 550 no such user", "it said 550 5.7.1 no", "said: 550 no"):
            self.assertEqual(self.one(words)["kind"], "reply", words)

    def test_the_question_that_is_asked_most(self):
        shown = " ".join(run("explain", "0x800CCC0B").out.split())
        for words in ("no single answer of a server stands behind it", "IXP_E_BUSY", "What to look for on the wire, in this order",
                      "greet-421-busy", "auth-required-not-attempted", "tcp-port25-blocked", "smtp-reply-timeout", "[IN-USE]",
                      "Close the mail program completely", "My server requires authentication", "587"):
            self.assertIn(words, shown)
        self.assertLess(shown.index("421"), shown.index("port 25 without an answer"))

    def test_sentences_without_a_session(self):
        """Names in a sentence have a noun in their place here, and the sentence must bear it."""
        causes = [record["id"] for record in run("causes", "-o", "json").records()]
        for record in run("explain", "-o", "json", *causes).records():
            for text in [record["summary"], record["meaning"] or ""] + record["advice"]:
                self.assertNotRegex(text, r"\baddress the (sending|recip)|\b(the|a|an) (the|a|an|this) ", record["query"])
        advice = self.one("greet-no-banner")["advice"]
        self.assertTrue(any("On port 465 " in step for step in advice) and any("On port 25 or 587 " in step for step in advice))

    def test_a_finding_is_told_with_its_severity(self):
        for row in run("findings", "-o", "json").records():
            self.assertEqual(self.one(row["id"])["severity"], row["severity"])
        self.assertIn("severity   medium", run("explain", "aud-weak-mech-ntlm").out)
        self.assertIsNone(self.one("tcp-refused")["severity"])

    def test_statuses(self):
        self.assertEqual(run("explain", "tcp-refused", "frobnicate").status, 0)
        nothing = run("explain", "frobnicate")
        self.assertEqual((nothing.status, nothing.err), (2, ""))
        self.assertNotIn("nearest", nothing.out)
        self.assertIn("'smtpwhy causes'", nothing.out)
        self.assertIn("nearest    rcpt-relay-denied", run("explain", "rely-denied").out)
        self.assertEqual(run("explain", stdin=b"frobnicate\n").status, 2)
        self.assertEqual(run("explain", stdin=b"").status, 2)
        self.assertEqual(run("explain", stdin=b"frobnicate\n550 no\n").status, 0)
        self.assertEqual(run("explain", "-z").status, 2)
        self.assertIn("quotation marks", run("explain", "550", "5.7.1", "Relaying", "denied").err)
        self.assertEqual(run("explain", "550", "5.7.1").err, "")

    def test_nothing_is_said_twice(self):
        for query in ("421", "535", "5.7.139", "0x800CCC0E", "rcpt: 550 5.1.1 no such user", "10061", "250"):
            record = self.one(query)
            said = [record["summary"]] + record["meaning"].split("\n") + record["advice"]
            self.assertEqual(len(said), len(set(said)), said)
            if query != "250":
                self.assertNotIn(record["summary"].split(" means: ")[-1], record["meaning"])

    def test_lists_are_complete(self):
        causes = [line.split()[0] for line in run("causes").out.splitlines() if line and not line.startswith(" ")]
        self.assertGreater(len(causes), 100)
        for name in causes[::10]:
            if "-" in name:
                self.assertEqual(self.one(name)["cause"], name)


common.main()
