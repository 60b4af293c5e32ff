package receivers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/prometheus/alertmanager/config"
)

// snsService calls Publish of Amazon SNS: a text message to a phone number, or a message to a topic or an endpoint. The
// request is signed with the receiver's own keys; the platform's credentials are never used.
type snsService struct {
	conf *config.SNSConfig
	url  string
}

// Limits of Publish.
const (
	maxSMSRunes        = 1600
	maxSNSMessageBytes = 256 << 10
	maxSNSSubject      = 100
)

// newSNS checks what upstream leaves to the machine that it runs on: the region and the keys.
func newSNS(c *config.SNSConfig) (*snsService, error) {
	if !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(c.Sigv4.Region) {
		return nil, errors.New("sigv4.region must be set, such as eu-central-1")
	}
	if c.Sigv4.AccessKey == "" || c.Sigv4.SecretKey == "" {
		return nil, errors.New("sigv4.access_key and sigv4.secret_key must be set")
	}
	to := c.APIUrl
	if to == "" {
		to = "https://sns." + c.Sigv4.Region + ".amazonaws.com/"
		if strings.HasPrefix(c.Sigv4.Region, "cn-") {
			to = "https://sns." + c.Sigv4.Region + ".amazonaws.com.cn/"
		}
	}
	return &snsService{c, to}, nil
}

func (s *snsService) requests(n *note) ([]request, error) {
	c := s.conf
	form := url.Values{"Action": {"Publish"}, "Version": {"2010-03-31"}}
	message := n.expandText(c.Message)
	switch {
	case c.PhoneNumber != "":
		form.Set("PhoneNumber", n.expandText(c.PhoneNumber))
		message = cut(message, maxSMSRunes)
	case c.TopicARN != "":
		topic := n.expandText(c.TopicARN)
		form.Set("TopicArn", topic)
		if strings.HasSuffix(topic, ".fifo") {
			form.Set("MessageGroupId", n.key.Hash())
			form.Set("MessageDeduplicationId", n.dedup)
		}
	default:
		form.Set("TargetArn", n.expandText(c.TargetARN))
	}
	if message = strings.TrimSpace(cutBytes(message, maxSNSMessageBytes)); message == "" {
		message = "(no details)" // an empty one is refused
	}
	form.Set("Message", message)
	if subject := asciiLine(n.expandText(c.Subject)); subject != "" {
		form.Set("Subject", subject)
	}
	for i, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		entry := "MessageAttributes.entry." + strconv.Itoa(i+1)
		form.Set(entry+".Name", name)
		form.Set(entry+".Value.DataType", "String")
		form.Set(entry+".Value.StringValue", n.expandText(c.Attributes[name]))
	}
	return []request{{url: s.url, contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode()), sign: s.sign}}, nil
}

func (s *snsService) sign(r *http.Request, body []byte, now time.Time) error {
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: s.conf.Sigv4.AccessKey, SecretAccessKey: string(s.conf.Sigv4.SecretKey)}
	return v4.NewSigner().SignHTTP(context.WithoutCancel(r.Context()), keys, r, hex.EncodeToString(sum[:]), "sns", s.conf.Sigv4.Region, now)
}

// asciiLine is what SNS takes as a subject: one line of printable ASCII that begins with no space.
func asciiLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r > '~':
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(cutASCII(strings.TrimSpace(text), maxSNSSubject-1))
}

func cutASCII(text string, most int) string { return text[:min(len(text), most)] }

// judge tries again what AWS calls throttling, which may have the status 400.
func (s *snsService) judge(a *answer) *Failure {
	f := judgeStatus(a)
	if f == nil {
		return nil
	}
	var said struct {
		Error struct {
			Code    string `xml:"Code"`
			Message string `xml:"Message"`
		} `xml:"Error"`
	}
	if xml.Unmarshal(a.body, &said) == nil && said.Error.Code != "" {
		f.Said = said.Error.Code + ": " + said.Error.Message
		f.Retry = f.Retry || slices.Contains([]string{"Throttling", "Throttled", "ThrottledException", "ThrottlingException", "RequestLimitExceeded"}, said.Error.Code)
	}
	return f
}
