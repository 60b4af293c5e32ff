package alerts_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// services is one server that answers as every service does, by the first part of the path, and keeps what it got.
type services struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got map[string][]string
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{got: map[string][]string{}}
	answers := map[string]string{
		"slack": "ok", "msteams": "1", "bot12:ab": `{"ok":true}`, "dingtalk": `{"errcode":0}`, "feishu": `{"code":0}`, "wecom": `{"errcode":0}`,
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		text := string(body)
		if form, err := url.ParseQuery(text); err == nil && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
			text = form.Get("Message")
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		s.mu.Lock()
		s.got[name] = append(s.got[name], text)
		s.mu.Unlock()
		_, _ = io.WriteString(w, answers[name])
	}))
	t.Cleanup(s.Close)
	return s
}

// all waits until each named service got a body with all parts in it.
func (s *services) all(t *testing.T, names []string, parts ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range names {
			found := false
			for _, body := range s.got[name] {
				missing := false
				for _, p := range parts {
					missing = missing || !strings.Contains(body, p)
				}
				found = found || !missing
			}
			if !found {
				return fmt.Errorf("%s got no message with %q: %q", name, parts, s.got[name])
			}
		}
		return nil
	})
}

// everyReceiver is a configuration with a receiver of every kind that has an address of its own.
func everyReceiver(s *services, mail *testkit.SMTP) string {
	config := `
alertmanager_config: |
  global:
    smtp_smarthost: MAIL
    smtp_from: seamark@example.com
    smtp_auth_username: ann
    smtp_auth_password: mail-secret
  route: {receiver: all, group_by: [alertname], group_wait: 2s, group_interval: 5s, repeat_interval: 1h}
  receivers:
    - name: all
      webhook_configs: [{url: 'URL/webhook'}]
      slack_configs: [{api_url: 'URL/slack/x', channel: '#ops'}]
      msteams_configs: [{webhook_url: 'URL/msteams'}]
      msteamsv2_configs: [{webhook_url: 'URL/msteamsv2'}]
      discord_configs: [{webhook_url: 'URL/discord'}]
      telegram_configs: [{bot_token: '12:ab', chat_id: 7, api_url: 'URL'}]
      pagerduty_configs: [{routing_key: pd-secret, url: 'URL/pagerduty'}]
      opsgenie_configs: [{api_key: og-secret, api_url: 'URL/opsgenie/'}]
      victorops_configs: [{api_key: vo-secret, routing_key: team, api_url: 'URL/victorops/'}]
      sns_configs: [{phone_number: '+49', api_url: 'URL/sns', sigv4: {region: eu-central-1, access_key: AK, secret_key: sns-secret}}]
      dingtalk_configs: [{url: 'URL/dingtalk?access_token=dt-secret', secret: dt-secret}]
      feishu_configs: [{url: 'URL/feishu/fs-secret', secret: fs-secret}]
      wecom_configs: [{url: 'URL/wecom?key=wc-secret'}]
      email_configs:
        - to: ann@example.com
          send_resolved: true
          tls_config:
            server_name: mail.test
            ca: |
              CERTIFICATE
`
	ca := strings.ReplaceAll(strings.TrimSpace(mail.CA()), "\n", "\n              ")
	return strings.NewReplacer("URL", s.URL, "MAIL", mail.Addr(), "CERTIFICATE", ca).Replace(config)
}

// pushTrouble stores a series of a workload that is in trouble, what it logs, and what its cluster says of it.
func pushTrouble(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	now := time.Now()
	w := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: "disk_used_ratio"}, {Name: "namespace", Value: "shop"}, {Name: "pod", Value: "db-0"}},
		Samples: []prompb.Sample{{Value: 0.97, Timestamp: now.UnixMilli()}},
	}}}
	body, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
	line := fmt.Sprintf(`{"streams":[{"stream":{"namespace":"shop","pod":"db-0"},"values":[["%d","ERROR: no space left on device sda"],["%d","all is well"]]}]}`, now.UnixNano(), now.UnixNano()+1)
	x.Post(t, x.Ingest, "/loki/api/v1/push", "application/json", line, http.StatusNoContent)
	stamp := now.UTC().Format(time.RFC3339)
	event := `{"kind":"Event","apiVersion":"v1","metadata":{"name":"db-0.1","namespace":"shop","uid":"7f9d5c1e-0000-4000-8000-000000000001"},"involvedObject":{"kind":"Pod","name":"db-0","namespace":"shop"},
		"type":"Warning","reason":"Evicted","message":"the node was low on disk","count":2,"firstTimestamp":"` + stamp + `","lastTimestamp":"` + stamp + `"}`
	x.Post(t, x.Ingest, "/api/v1/push/events", "application/json", event, http.StatusOK)
	testkit.Eventually(t, within, func() error {
		var page struct{ Items []json.RawMessage }
		x.Get(t, "/api/v1/events", nil, &page)
		if len(page.Items) != 1 {
			return fmt.Errorf("there are %d events", len(page.Items))
		}
		return nil
	})
}

// TestEveryReceiverIsTold sets a receiver of every kind over the API, has a rule fire, and finds the message, with its
// evidence, at each service's fake, and every attempt in the delivery log.
func TestEveryReceiverIsTold(t *testing.T) {
	t.Parallel()
	x, s := newTenant(t, "receivers"), newServices(t)
	mail := testkit.NewSMTP(t, testkit.SMTPOptions{Mechanisms: "PLAIN", Users: map[string]string{"ann": "mail-secret"}})
	x.Post(t, x.Admin, "/api/v1/alerts", "application/yaml", everyReceiver(s, mail), http.StatusCreated)
	defer removeRules(t, x)

	// The button.
	answer := x.Post(t, x.Admin, "/api/v1/alerting/receivers/all/test", "application/json", "", http.StatusOK)
	var trials struct {
		Items []struct{ Integration, Status, Error string }
	}
	if err := json.Unmarshal([]byte(answer.Body), &trials); err != nil {
		t.Fatal(err)
	}
	if len(trials.Items) != 14 {
		t.Errorf("%d integrations were tried, want 14", len(trials.Items))
	}
	for _, trial := range trials.Items {
		if trial.Status != "sent" {
			t.Errorf("the trial of %s: %s %s", trial.Integration, trial.Status, trial.Error)
		}
	}
	chats := []string{"slack", "msteams", "msteamsv2", "discord", "bot12:ab", "pagerduty", "opsgenie", "victorops", "sns", "dingtalk", "feishu", "wecom", "webhook"}
	s.all(t, chats, "Test notification")

	// A rule.
	pushTrouble(t, x)
	x.Post(t, x.Admin, "/prometheus/config/v1/rules/nodes", "application/yaml", `
name: disks
interval: 1s
rules:
  - alert: DiskFull
    expr: disk_used_ratio > 0.9
    annotations: {summary: 'A disk is nearly full'}
`, http.StatusAccepted)
	short := []string{"sns"}
	s.all(t, short, "nearly", "0.97")
	full := []string{"slack", "msteams", "msteamsv2", "discord", "bot12:ab", "pagerduty", "opsgenie", "victorops", "dingtalk", "feishu", "wecom", "webhook"}
	s.all(t, full, "A disk is nearly full", "0.97", "no space left on device sda", "Evicted", "the node was low on disk", "seamark.example/alerts?alert=", "seamark.example/logs")
	testkit.Eventually(t, within, func() error {
		for _, m := range mail.Mails() {
			if m.TLS && m.User == "ann" && strings.Contains(m.Data, "nearly full") && strings.Contains(m.Data, "no space left on device sda") {
				return nil
			}
		}
		return fmt.Errorf("the mail server has %d mails, none of them of the alert with its evidence", len(mail.Mails()))
	})
	checkDeliveries(t, x)
}

// checkDeliveries looks at the delivery log, and for the configuration's secrets in what can be read.
func checkDeliveries(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		var page struct {
			Items []struct {
				Integration, Status, Receiver string
				Test                          bool
			}
		}
		x.Get(t, "/api/v1/alerting/deliveries?receiver=all&status=sent", nil, &page)
		sent := map[string]bool{}
		for _, d := range page.Items {
			if !d.Test {
				sent[d.Integration] = true
			}
		}
		if len(sent) != 14 {
			return fmt.Errorf("the log tells of %v", sent)
		}
		return nil
	})
	var first, second struct {
		Items []json.RawMessage
		Next  string `json:"next_cursor"`
	}
	x.Get(t, "/api/v1/alerting/deliveries?limit=20", nil, &first)
	x.Get(t, "/api/v1/alerting/deliveries?limit=20&cursor="+first.Next, nil, &second)
	if len(first.Items) != 20 || len(second.Items) < 8 {
		t.Errorf("pages of %d and %d deliveries, want 20 and at least 8", len(first.Items), len(second.Items))
	}
	for _, path := range []string{"/api/v1/alerts", "/api/v1/alerting/deliveries", "/api/v1/alerting/receivers", "/alertmanager/api/v2/status", "/alertmanager/api/v2/receivers"} {
		if answer := x.Do(t, x.Admin, http.MethodGet, path, nil, ""); answer.Status != http.StatusOK || strings.Contains(answer.Body, "-secret") || strings.Contains(answer.Body, "12:ab") {
			t.Errorf("GET %s: got %d %s, want 200 without secrets", path, answer.Status, answer.Body)
		}
	}
}
