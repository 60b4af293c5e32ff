package receivers

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// mailFields is a configuration that sends to a server and checks its certificate.
func mailFields(s *testkit.SMTP, more string) string {
	return "to: 'Ann <ann@example.com>, bob@example.com'\nfrom: seamark@example.com\nsmarthost: " + s.Addr() + "\ntls_config:\n  server_name: mail.test\n  ca: |\n    " +
		strings.ReplaceAll(strings.TrimSpace(s.CA()), "\n", "\n    ") + "\n" + more
}

// bodies returns the parts of a mail by their media types.
func bodies(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		found[kind] = string(text)
	}
}

func sendMail(t *testing.T, fields string) *Failure {
	t.Helper()
	o, _ := testOptions(t)
	n := build(t, o, receiverOf(t, "email", fields))
	retry, err := n.Notify(groupContext(t), testAlert(false, "evil", "x\r\nBcc: spy@example.com"))
	return failureOf(t, retry, err)
}

func TestMail(t *testing.T) {
	users := map[string]string{"ann": "pass"}
	const credentials = "auth_username: ann\nauth_password: pass\n"
	tests := []struct {
		name   string
		opts   testkit.SMTPOptions
		fields string
		user   string
	}{
		{"starttls", testkit.SMTPOptions{}, "", ""},
		{"plain", testkit.SMTPOptions{Mechanisms: "PLAIN LOGIN", Users: users}, credentials, "ann"},
		{"login", testkit.SMTPOptions{Mechanisms: "LOGIN", Users: users}, credentials, "ann"},
		{"cram", testkit.SMTPOptions{Mechanisms: "CRAM-MD5 PLAIN", Users: users}, "auth_username: ann\nauth_secret: pass\n", "ann"},
		{"implicit", testkit.SMTPOptions{ImplicitTLS: true, Mechanisms: "PLAIN", Users: users}, credentials + "force_implicit_tls: true\n", "ann"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testkit.NewSMTP(t, tt.opts)
			if f := sendMail(t, mailFields(s, tt.fields+"headers: {X-Evil: '{{ .CommonLabels.evil }}', Subject: 'Ünïcode {{ .Status }}'}\nthreading: {enabled: true, thread_by_date: daily}\n")); f != nil {
				t.Fatal(f)
			}
			got := s.Mails()
			if len(got) != 1 || !got[0].TLS || got[0].User != tt.user || got[0].From != "seamark@example.com" || strings.Join(got[0].To, " ") != "ann@example.com bob@example.com" {
				t.Fatalf("got %+v", got)
			}
			checkLetter(t, got[0].Data)
		})
	}
}

func checkLetter(t *testing.T, data string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Ünïcode firing" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("X-Evil") != "x Bcc: spy@example.com" {
		t.Errorf("a label began a header: %v", m.Header)
	}
	for name, want := range map[string]string{"Message-Id": "@127.0.0.1>", "References": ".2026-03-01@127.0.0.1>", "Auto-Submitted": "auto-generated", "Date": "Sun, 01 Mar 2026"} {
		if !strings.Contains(m.Header.Get(name), want) {
			t.Errorf("%s is %q, want %q in it", name, m.Header.Get(name), want)
		}
	}
	parts := bodies(t, m)
	if !strings.Contains(parts["text/plain"], "The disk of <db-0> is full") || !strings.Contains(parts["text/html"], "The disk of &lt;db-0&gt; is full") {
		t.Errorf("got the parts %v", parts)
	}
}

func TestMailFailures(t *testing.T) {
	users := map[string]string{"ann": "other"}
	const credentials = "auth_username: ann\nauth_password: pass-word\n"
	refuse := func(verb, reply string) func(string) string {
		return func(command string) string {
			if strings.HasPrefix(command, verb) {
				return reply
			}
			return ""
		}
	}
	tests := []struct {
		name   string
		opts   testkit.SMTPOptions
		fields string
		want   string
		retry  bool
	}{
		{"no tls", testkit.SMTPOptions{NoTLS: true}, "", "offers no STARTTLS", false},
		{"password without tls", testkit.SMTPOptions{NoTLS: true, Mechanisms: "LOGIN", Users: users}, credentials + "require_tls: false\n", "without which no password is sent", false},
		{"no authentication", testkit.SMTPOptions{}, credentials, "offers no authentication", false},
		{"unknown mechanism", testkit.SMTPOptions{Mechanisms: "GSSAPI"}, credentials, "offers none of PLAIN", false},
		{"wrong password", testkit.SMTPOptions{Mechanisms: "PLAIN", Users: users}, credentials, "the mail server answered 535: 5.7.8 authentication failed", false},
		{"greylisted", testkit.SMTPOptions{Refuse: refuse("RCPT", "451 4.7.1 try later")}, "", "the mail server answered 451: 4.7.1 try later", true},
		{"unknown mailbox", testkit.SMTPOptions{Refuse: refuse("RCPT", "550 5.1.1 no such user")}, "", "answered 550", false},
		{"busy", testkit.SMTPOptions{Refuse: refuse("MAIL", "421 4.3.2 shutting down")}, "", "answered 421", true},
		{"talks too much", testkit.SMTPOptions{Refuse: refuse("MAIL", strings.Repeat("250-x\r\n", 20000)+"250 x")}, "", "talks too much", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testkit.NewSMTP(t, tt.opts)
			f := sendMail(t, mailFields(s, tt.fields))
			if f == nil || !strings.Contains(f.Error(), tt.want) || f.Retry != tt.retry {
				t.Fatalf("got %+v, want %q and retry %v", f, tt.want, tt.retry)
			}
			if len(s.Mails()) != 0 {
				t.Error("the server took a mail")
			}
			for _, said := range s.Talk() {
				if tt.name == "password without tls" && strings.HasPrefix(said, "AUTH") {
					t.Error("the password was offered without TLS")
				}
			}
		})
	}
}

func TestMailChecksTheCertificate(t *testing.T) {
	s := testkit.NewSMTP(t, testkit.SMTPOptions{})
	fields := strings.Replace(mailFields(s, ""), "server_name: mail.test", "server_name: other.test", 1)
	if f := sendMail(t, fields); f == nil || f.Retry || !strings.Contains(f.Error(), "certificate") {
		t.Errorf("got %+v, want a refusal of the certificate", f)
	}
	if len(s.Mails()) != 0 {
		t.Error("the server took a mail")
	}
}

func TestMailGoesThroughTheGuard(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	f := sendMail(t, "to: a@example.com\nfrom: b@example.com\nsmarthost: "+ln.Addr().String())
	if f == nil || !f.Blocked || f.Retry {
		t.Errorf("got %+v, want a refusal by the guard", f)
	}
}
