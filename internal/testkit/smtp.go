package testkit

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is what is tested
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is a message that a mail server took.
type Mail struct {
	From string
	To   []string
	Data string // headers and body, with CRLF, dots unstuffed
	TLS  bool
	User string // who was signed in, "" for nobody
}

// SMTPOptions configures a mail server.
type SMTPOptions struct {
	// Mechanisms are offered for AUTH; "" offers none. Users are names and passwords.
	Mechanisms string
	Users      map[string]string
	// NoTLS offers no STARTTLS; ImplicitTLS begins with TLS.
	NoTLS, ImplicitTLS bool
	// Refuse returns the reply to a command instead of the usual one, "" for the usual; nil refuses nothing.
	Refuse func(command string) string
}

// SMTP is a mail server by RFC 5321 with STARTTLS (RFC 3207) and AUTH (RFC 4954), on 127.0.0.1, for one test.
type SMTP struct {
	opts SMTPOptions
	ln   net.Listener
	tls  *tls.Config
	ca   string

	mu    sync.Mutex // guards mails, conns and talk
	mails []Mail
	conns int
	talk  []string // what clients said, but for messages and secrets
}

// NewSMTP starts a mail server that stops at the test's end.
func NewSMTP(t testing.TB, o SMTPOptions) *SMTP {
	t.Helper()
	s := &SMTP{opts: o}
	s.certify(t)
	var err error
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = s.ln.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := s.ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn) })
		}
	})
	return s
}

// Addr is the server's address, host and port.
func (s *SMTP) Addr() string { return s.ln.Addr().String() }

// CA is the certificate in PEM that the server's own is checked by; it is for the name mail.test and for 127.0.0.1.
func (s *SMTP) CA() string { return s.ca }

// Mails returns what the server took so far.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Talk returns the commands of all clients, without their arguments of AUTH.
func (s *SMTP) Talk() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.talk...)
}

// Connections returns how many connections were made.
func (s *SMTP) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

func (s *SMTP) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, DNSNames: []string{"mail.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// conversation is one connection.
type conversation struct {
	*SMTP
	conn    net.Conn
	in      *bufio.Reader
	secure  bool
	user    string
	message Mail
}

// serveWithin bounds a conversation, so that a client that hangs fails its test and not the end of it.
const serveWithin = 30 * time.Second

func (s *SMTP) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(serveWithin))
	s.mu.Lock()
	s.conns++
	s.mu.Unlock()
	c := &conversation{SMTP: s, conn: conn, in: bufio.NewReader(conn)}
	if s.opts.ImplicitTLS {
		c.encrypt()
	}
	c.say("220 mail.test ESMTP")
	for {
		line, err := c.in.ReadString('\n')
		if err != nil || !c.obey(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func (c *conversation) encrypt() {
	c.conn = tls.Server(c.conn, c.tls)
	c.in, c.secure = bufio.NewReader(c.conn), true
}

func (c *conversation) say(line string) { _, _ = fmt.Fprintf(c.conn, "%s\r\n", line) }

// obey answers one command and reports whether the conversation goes on.
func (c *conversation) obey(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	c.mu.Lock()
	if verb == "AUTH" {
		mechanism, _, _ := strings.Cut(rest, " ")
		c.talk = append(c.talk, "AUTH "+mechanism)
	} else {
		c.talk = append(c.talk, line)
	}
	c.mu.Unlock()
	if c.opts.Refuse != nil {
		if reply := c.opts.Refuse(line); reply != "" {
			c.say(reply)
			return !strings.HasPrefix(reply, "421")
		}
	}
	switch verb {
	case "EHLO":
		c.greet()
	case "STARTTLS":
		c.say("220 go ahead")
		c.encrypt()
	case "AUTH":
		c.authenticate(rest)
	case "MAIL":
		c.message = Mail{From: address(rest), TLS: c.secure, User: c.user}
		c.say("250 OK")
	case "RCPT":
		c.message.To = append(c.message.To, address(rest))
		c.say("250 OK")
	case "DATA":
		return c.take()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("250 OK")
	}
	return true
}

func (c *conversation) greet() {
	lines := []string{"mail.test"}
	if !c.secure && !c.opts.NoTLS {
		lines = append(lines, "STARTTLS")
	}
	if c.opts.Mechanisms != "" {
		lines = append(lines, "AUTH "+c.opts.Mechanisms)
	}
	lines = append(lines, "8BITMIME")
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		c.say("250" + separator + line)
	}
}

func address(rest string) string {
	_, after, _ := strings.Cut(rest, "<")
	before, _, _ := strings.Cut(after, ">")
	return before
}

// ask sends a challenge and returns the decoded answer.
func (c *conversation) ask(challenge string) string {
	c.say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
	line, err := c.in.ReadString('\n')
	if err != nil {
		return ""
	}
	return decoded(strings.TrimRight(line, "\r\n"))
}

func decoded(text string) string {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(b)
}

func (c *conversation) authenticate(rest string) {
	mechanism, initial, _ := strings.Cut(rest, " ")
	var user string
	ok := false
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		parts := strings.Split(decoded(initial), "\x00")
		if len(parts) == 3 {
			user, ok = parts[1], c.opts.Users[parts[1]] == parts[2]
		}
	case "LOGIN":
		user = c.ask("Username:")
		ok = c.opts.Users[user] == c.ask("Password:")
	case "CRAM-MD5":
		const challenge = "<1.2@mail.test>"
		name, got, _ := strings.Cut(c.ask(challenge), " ")
		mac := hmac.New(md5.New, []byte(c.opts.Users[name]))
		_, _ = mac.Write([]byte(challenge))
		user, ok = name, got == hex.EncodeToString(mac.Sum(nil))
	}
	if _, known := c.opts.Users[user]; !known || !ok {
		c.say("535 5.7.8 authentication failed")
		return
	}
	c.user = user
	c.say("235 2.7.0 welcome")
}

// take reads a message up to the line with a dot.
func (c *conversation) take() bool {
	c.say("354 go ahead")
	var data strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		data.WriteString(strings.TrimPrefix(line, "."))
	}
	c.message.Data = data.String()
	c.mu.Lock()
	c.mails = append(c.mails, c.message)
	c.mu.Unlock()
	c.say("250 2.0.0 taken")
	return true
}
