package forward

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Target is where a forwarder sends: exactly one of its fields is set.
type Target struct {
	Webhook *Webhook `json:"webhook,omitempty"`
	NATS    *NATS    `json:"nats,omitempty"`
	Kafka   *Kafka   `json:"kafka,omitempty"`
	S3      *S3      `json:"s3,omitempty"`
}

// Webhook takes batches as gzipped NDJSON by POST.
type Webhook struct {
	URL     string             `json:"url"`
	Headers map[string]*Secret `json:"headers,omitempty"`
}

// NATS takes rows as messages of a subject that a JetStream stream of the target's keeps: without one nobody would say that
// it has them.
type NATS struct {
	URL     string `json:"url"` // nats://host:4222 or tls://host:4222
	Subject string `json:"subject"`
	// Credentials is the text of a .creds file; Token is for servers that take one. At most one is set.
	Credentials *Secret `json:"credentials,omitempty"`
	Token       *Secret `json:"token,omitempty"`
}

// Kafka takes rows as records of a topic.
type Kafka struct {
	Brokers []string `json:"brokers"` // host:port
	Topic   string   `json:"topic"`
	TLS     bool     `json:"tls"`
	SASL    *SASL    `json:"sasl,omitempty"`
	// KeyLabel is the label whose value is the records' key, so that lines with one value keep their order; "" spreads them.
	KeyLabel string `json:"key_label,omitempty"`
}

// SASL is how a forwarder signs in at Kafka.
type SASL struct {
	Mechanism string  `json:"mechanism"` // plain, scram-sha-256 or scram-sha-512
	User      string  `json:"user"`
	Password  *Secret `json:"password"`
}

// S3 takes batches as objects.
type S3 struct {
	Endpoint string `json:"endpoint,omitempty"` // "" is Amazon's of the region
	Region   string `json:"region"`
	Bucket   string `json:"bucket"`
	// Prefix begins the objects' names. {date}, {hour}, {cluster} and {forwarder} are filled in.
	Prefix          string  `json:"prefix,omitempty"`
	Format          string  `json:"format"` // ndjson.gz or parquet
	AccessKeyID     string  `json:"access_key_id"`
	SecretAccessKey *Secret `json:"secret_access_key"`
}

// The formats of objects.
const (
	formatNDJSON  = "ndjson.gz"
	formatParquet = "parquet"
)

// kind names the target in metrics and documents.
func (t *Target) kind() string {
	switch {
	case t.Webhook != nil:
		return "webhook"
	case t.NATS != nil:
		return "nats"
	case t.Kafka != nil:
		return "kafka"
	}
	return "s3"
}

func (t *Target) normalise() error {
	set := 0
	for _, is := range []bool{t.Webhook != nil, t.NATS != nil, t.Kafka != nil, t.S3 != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return invalid("target: it has %d of webhook, nats, kafka and s3; exactly one is needed", set)
	}
	switch {
	case t.Webhook != nil:
		return t.Webhook.check()
	case t.NATS != nil:
		return t.NATS.check()
	case t.Kafka != nil:
		return t.Kafka.check()
	}
	return t.S3.normalise()
}

// maxHeaders bounds the headers of a webhook.
const maxHeaders = 20

func (w *Webhook) check() error {
	if err := checkURL(w.URL, "http", "https"); err != nil {
		return invalid("target.webhook.url: %s", err)
	}
	if len(w.Headers) > maxHeaders {
		return invalid("target.webhook.headers: there are %d; the limit is %d", len(w.Headers), maxHeaders)
	}
	for name, value := range w.Headers {
		lower := strings.ToLower(name)
		ours := strings.HasPrefix(lower, "x-seamark-") || slices.Contains([]string{"host", "content-type", "content-encoding", "content-length", "transfer-encoding", "connection"}, lower)
		if !httpguts.ValidHeaderFieldName(name) || ours {
			return invalid("target.webhook.headers: %.80q is no header that a forwarder may set", name)
		}
		if value == nil || !httpguts.ValidHeaderFieldValue(value.Value) {
			return invalid("target.webhook.headers.%s: the value has characters that no header may have, or is missing", name)
		}
	}
	return nil
}

// checkURL refuses what is no absolute URL of one of the schemes, and secrets in it: it is shown to whoever may read.
func checkURL(text string, schemes ...string) error {
	const most = 2048
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > most || u.Hostname() == "":
		return errors.New("it is not an absolute URL")
	case !slices.Contains(schemes, u.Scheme):
		return errors.New("its scheme is not " + strings.Join(schemes, " or "))
	case u.User != nil:
		return errors.New("it has a user or a password, which belong into a secret")
	case u.Fragment != "":
		return errors.New("it has a fragment")
	}
	return nil
}

func (n *NATS) check() error {
	if err := checkURL(n.URL, "nats", "tls"); err != nil {
		return invalid("target.nats.url: %s", err)
	}
	for token := range strings.SplitSeq(n.Subject, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") || len(n.Subject) > 255 || strings.HasPrefix(token, "$") {
			return invalid("target.nats.subject: %.80q is no subject to publish to", n.Subject)
		}
	}
	if n.Credentials != nil && n.Token != nil {
		return invalid("target.nats: credentials and token are both set")
	}
	return nil
}

// maxBrokers bounds the brokers that are named; they name the others.
const maxBrokers = 20

func (k *Kafka) check() error {
	if len(k.Brokers) == 0 || len(k.Brokers) > maxBrokers {
		return invalid("target.kafka.brokers: there are %d; 1 to %d are needed", len(k.Brokers), maxBrokers)
	}
	for _, broker := range k.Brokers {
		if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" {
			return invalid("target.kafka.brokers: %.80q is not host:port", broker)
		}
	}
	if k.Topic == "" || len(k.Topic) > 249 || strings.ContainsFunc(k.Topic, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}) {
		return invalid("target.kafka.topic: %.80q is no name of a topic", k.Topic)
	}
	if k.SASL == nil {
		return nil
	}
	if !slices.Contains([]string{"plain", "scram-sha-256", "scram-sha-512"}, k.SASL.Mechanism) || k.SASL.User == "" || k.SASL.Password == nil {
		return invalid("target.kafka.sasl: it needs user, password and a mechanism of plain, scram-sha-256 or scram-sha-512")
	}
	return nil
}

func (s *S3) normalise() error {
	if s.Format == "" {
		s.Format = formatNDJSON
	}
	if s.Endpoint != "" {
		if err := checkURL(s.Endpoint, "http", "https"); err != nil {
			return invalid("target.s3.endpoint: %s", err)
		}
	}
	switch {
	case s.Format != formatNDJSON && s.Format != formatParquet:
		return invalid("target.s3.format: %.40q is not %s or %s", s.Format, formatNDJSON, formatParquet)
	case s.Region == "" || len(s.Region) > 64 || strings.ContainsAny(s.Region, "/:@?# ."):
		return invalid("target.s3.region: %.80q is no region; stores that have none take us-east-1", s.Region)
	case len(s.Bucket) < 3 || len(s.Bucket) > 63 || strings.ContainsAny(s.Bucket, "/:@?# "):
		return invalid("target.s3.bucket: %.80q is no name of a bucket", s.Bucket)
	case s.AccessKeyID == "" || s.SecretAccessKey == nil:
		return invalid("target.s3: access_key_id and secret_access_key are needed")
	}
	return checkPrefix(s.Prefix)
}

// placeholders are what a prefix may have in braces.
func placeholders() []string { return []string{"{date}", "{hour}", "{cluster}", "{forwarder}"} }

func checkPrefix(prefix string) error {
	const most = 512
	rest := prefix
	for _, p := range placeholders() {
		rest = strings.ReplaceAll(rest, p, "")
	}
	if len(prefix) > most || strings.ContainsAny(rest, "{}") || strings.HasPrefix(prefix, "/") {
		return invalid("target.s3.prefix: %.80q has more than %d bytes, a slash in front, or something else in braces than %s", prefix, most, strings.Join(placeholders(), ", "))
	}
	return nil
}

// destination is what secrets go to. A stored secret is kept only for the destination that it was given for: else whoever may
// write forwarders could have one that he cannot read sent to himself.
func (t *Target) destination() string {
	switch {
	case t.Webhook != nil:
		return "webhook " + t.Webhook.URL
	case t.NATS != nil:
		return "nats " + t.NATS.URL
	case t.Kafka != nil:
		brokers := slices.Clone(t.Kafka.Brokers)
		slices.Sort(brokers)
		how := "plain text"
		if t.Kafka.TLS {
			how = "tls"
		}
		if t.Kafka.SASL != nil {
			how += " " + t.Kafka.SASL.Mechanism + " " + t.Kafka.SASL.User
		}
		return "kafka " + how + " " + strings.Join(brokers, ",")
	}
	return "s3 " + t.S3.Endpoint + " " + t.S3.Region + " " + t.S3.AccessKeyID
}

// secrets returns the target's secrets by where they stand in it.
func (t *Target) secrets() map[string]*Secret {
	found := map[string]*Secret{}
	add := func(path string, s *Secret) {
		if s != nil {
			found[path] = s
		}
	}
	switch {
	case t.Webhook != nil:
		for name, s := range t.Webhook.Headers {
			add("webhook.headers."+name, s)
		}
	case t.NATS != nil:
		add("nats.credentials", t.NATS.Credentials)
		add("nats.token", t.NATS.Token)
	case t.Kafka != nil && t.Kafka.SASL != nil:
		add("kafka.sasl.password", t.Kafka.SASL.Password)
	case t.S3 != nil:
		add("s3.secret_access_key", t.S3.SecretAccessKey)
	}
	return found
}
