"""Python's imaplib against a server: every command it has, on each of three ways to connect."""

import imaplib
import socket
import ssl
import sys

PORT, TLS_PORT, CERTIFICATE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

MESSAGE = (
    b"From: a@example.org\r\nSubject: literal {3}\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"caf\xe9 (\r\n* BYE\r\na1 LOGOUT\r\nend"
)


def ok(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


def equal(got, expected):
    assert got == expected, f"{got!r} is not {expected!r}"


def read_line(client):
    return client.readline()


def idle_by_hand(client, other):
    """imaplib of that age has no IDLE: the lines are sent and read as they are."""
    tag = client._new_tag()
    client.send(tag + b" IDLE\r\n")
    assert read_line(client).startswith(b"+ ")
    ok(other.append("work", None, None, MESSAGE))
    equal(read_line(client), b"* 4 EXISTS\r\n")
    assert read_line(client).endswith(b" RECENT\r\n")
    client.send(b"DONE\r\n")
    line = read_line(client)
    assert line.startswith(tag + b" OK "), line


def dialogue(client, other):
    assert "IMAP4REV1" in client.capabilities, client.capabilities
    equal(client.state, "NONAUTH")
    try:
        client.login("demo", "wrong")
        raise AssertionError("a wrong password was taken")
    except imaplib.IMAP4.error as error:
        assert "AUTHENTICATIONFAILED" in str(error), error
    ok(client.authenticate("PLAIN", lambda challenge: b"\0demo\0secret"))
    other.login("demo", "secret")

    ok(client.noop())
    ok(client.create("work"))
    ok(client.create('"work/sub mailbox"'))
    ok(client.subscribe("work"))
    equal(ok(client.list('""', "work*")), [b'(\\HasChildren) "/" work', b'(\\HasNoChildren) "/" "work/sub mailbox"'])
    equal(ok(client.lsub('""', "work*")), [b'() "/" work'])
    ok(client.rename('"work/sub mailbox"', "work/other"))
    ok(client.delete("work/other"))
    ok(client.unsubscribe("work"))
    equal(ok(client.namespace()), [b'(("" "/")) NIL NIL'])

    date = '"17-Jul-1996 02:44:25 -0700"'
    for _ in range(3):
        appended = ok(client.append("work", "(\\Flagged $Label1)", date, MESSAGE))
        assert appended[0].startswith(b"[APPENDUID "), appended
    equal(ok(client.status("work", "(MESSAGES UNSEEN)")), [b"work (MESSAGES 3 UNSEEN 3)"])
    equal(ok(client.select("work")), [b"3"])
    equal(client.state, "SELECTED")
    ok(client.check())

    data = ok(client.fetch("1", "(UID INTERNALDATE RFC822.SIZE FLAGS BODY.PEEK[])"))
    equal(data[0][1], MESSAGE)
    assert b"RFC822.SIZE %d " % len(MESSAGE) in data[0][0] + b" ", data
    assert b'INTERNALDATE "17-Jul-1996 02:44:25 -0700"' in data[0][0], data
    equal(ok(client.fetch("1", "(BODY[TEXT]<0.4>)"))[0][1], b"caf\xe9")
    envelope = ok(client.fetch("2", "(ENVELOPE BODYSTRUCTURE)"))[0]
    assert b'("TEXT" "PLAIN" ("CHARSET" "iso-8859-1") NIL NIL "8BIT" ' in envelope.upper().replace(b"ISO", b"iso"), envelope

    equal(ok(client.search(None, "SUBJECT", '"literal"', "FLAGGED")), [b"1 2 3"])
    client.literal = "caf\u00e9".encode()
    equal(ok(client.search("UTF-8", "TEXT")), [b"1 2 3"])
    equal(ok(client.uid("SEARCH", "UID", "2:*")), [b"2 3"])

    stored = ok(client.store("1:2", "+FLAGS", "(\\Deleted)"))
    equal(len(stored), 2)
    ok(client.copy("3", "Archive"))
    moved = client.uid("MOVE", "3", "Archive")
    ok(moved)
    # What MOVE expunged was not fetched yet, and comes first.
    equal(ok(client.expunge()), [b"3", b"2", b"1"])
    equal(ok(client.search(None, "ALL")), [b""])
    for _ in range(3):
        ok(client.append("work", None, None, MESSAGE))
    ok(client.noop())
    idle_by_hand(client, other)
    ok(client.noop())
    equal(ok(client.search(None, "ALL")), [b"1 2 3 4"])
    ok(client.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Seen \\Deleted)"))
    ok(client.unselect())
    equal(client.state, "AUTH")
    equal(ok(client.select("work", readonly=True)), [b"4"])
    ok(client.close())
    equal(ok(client.select("work")), [b"4"])
    ok(client.close())
    equal(ok(client.status("work", "(MESSAGES)")), [b"work (MESSAGES 0)"])
    equal(client.select("Nowhere")[0], "NO")
    ok(client.delete("work"))
    equal(client.logout()[0], "BYE")
    other.logout()


def context():
    return ssl.create_default_context(cafile=CERTIFICATE)


def secured():
    client = imaplib.IMAP4("localhost", PORT)
    assert "STARTTLS" in client.capabilities, client.capabilities
    ok(client.starttls(context()))
    assert isinstance(client.sock, ssl.SSLSocket)
    return client


socket.setdefaulttimeout(30)
# `localhost` is the name in the certificate; the server listens on IPv4 alone.
lookup = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: lookup("127.0.0.1", *rest, **more)
dialogue(imaplib.IMAP4("localhost", PORT), imaplib.IMAP4("localhost", PORT))
print("plain: done")
dialogue(secured(), secured())
print("STARTTLS: done")
tls = lambda: imaplib.IMAP4_SSL("localhost", TLS_PORT, ssl_context=context())
dialogue(tls(), tls())
print("TLS: done")
