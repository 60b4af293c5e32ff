package receivers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
)

// pushoverService posts to Pushover. The keys go in the body, so that no log of addresses on the way holds them.
type pushoverService struct {
	conf *config.PushoverConfig
	url  string
}

// Pushover's limits, in characters.
const (
	maxPushoverTitle   = 250
	maxPushoverMessage = 1024
	maxPushoverURL     = 512
)

func (s *pushoverService) requests(n *note) ([]request, error) {
	c := s.conf
	form := url.Values{
		"token": {n.expandText(string(c.Token))}, "user": {n.expandText(string(c.UserKey))}, "title": {cut(n.expandText(c.Title), maxPushoverTitle)},
		"url": {cut(n.expandText(c.URL), maxPushoverURL)}, "url_title": {n.expandText(c.URLTitle)}, "priority": {n.expandText(c.Priority)},
		"retry": {seconds(time.Duration(c.Retry))}, "expire": {seconds(time.Duration(c.Expire))}, "device": {n.expandText(c.Device)}, "sound": {n.expandText(c.Sound)},
	}
	if c.TTL > 0 {
		form.Set("ttl", seconds(time.Duration(c.TTL)))
	}
	var message string
	if c.HTML {
		form.Set("html", "1")
		message = n.expandHTML(c.Message)
	} else {
		message = n.expandText(c.Message)
	}
	if c.Monospace {
		form.Set("monospace", "1")
	}
	if message = cut(strings.TrimSpace(message), maxPushoverMessage); message == "" {
		message = "(no details)" // an empty one is refused
	}
	form.Set("message", message)
	return []request{{url: s.url, contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode())}}, nil
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// judge takes 429 as final: it means that the month's messages are used up.
func (s *pushoverService) judge(a *answer) *Failure {
	var said struct {
		Status int      `json:"status"`
		Errors []string `json:"errors"`
	}
	decoded := json.Unmarshal(a.body, &said)
	f := judgeStatus(a)
	if f == nil && (decoded != nil || said.Status != 1) {
		f = &Failure{Status: a.status, Reason: "Pushover refused the message"}
	}
	if f == nil {
		return nil
	}
	if decoded == nil {
		f.Said = strings.Join(said.Errors, ", ")
	}
	if a.status == http.StatusTooManyRequests {
		f.Retry, f.Reason = false, "the application's messages of this month are used up"
	}
	return f
}
