package alerting

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// service answers like Slack until told to fail, and repeats the secret of its address when it does.
func slackLike(t *testing.T, status int, said string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, said)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestReceiverIsTried(t *testing.T) {
	good, bad := slackLike(t, http.StatusOK, `{"ok":true}`), slackLike(t, http.StatusOK, `{"ok":false,"error":"invalid_auth of xoxb-hush-hush"}`)
	w := newWorld(t)
	p := w.start(t, "one")
	config := fmt.Sprintf("route: {receiver: ops}\nreceivers: [{name: ops, slack_configs: [{api_url: '%s'}, {app_token: xoxb-hush-hush, app_url: '%s'}], webhook_configs: [{url: '%s'}]}]\n", good.URL, bad.URL, good.URL)
	testkit.Eventually(t, patience, func() error { return p.SaveAlertmanagerConfig(t.Context(), tenantA, config, nil) })
	list, err := p.ListReceivers(t.Context(), tenantA)
	if err != nil || len(list) != 1 || list[0].Name != "ops" || strings.Join(list[0].Integrations, " ") != "webhook[0] slack[0] slack[1]" {
		t.Errorf("receivers %+v, %v", list, err)
	}
	trials, err := p.TestReceiver(t.Context(), tenantA, "ops", ReceiverTest{Labels: map[string]string{"team": "sre"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, trial := range trials {
		got[trial.Integration] = string(trial.Status) + " " + trial.Error
	}
	want := map[string]string{"webhook[0]": "sent ", "slack[0]": "sent ", "slack[1]": "failed Slack refused the message: invalid_auth of <secret>"}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %q, want %q", name, got[name], want[name])
		}
	}
	testkit.Eventually(t, patience, func() error {
		log, err := p.ListDeliveries(t.Context(), tenantA, DeliveryFilter{Status: DeliveryFailed})
		if err == nil && (len(log) != 1 || !log[0].Test || log[0].Integration != "slack[1]" || strings.Contains(log[0].Error, "hush")) {
			err = fmt.Errorf("the log has %+v", log)
		}
		return err
	})
	if log, err := p.ListDeliveries(t.Context(), tenantB, DeliveryFilter{}); err != nil || len(log) != 0 {
		t.Errorf("the other tenant's log has %+v, %v", log, err)
	}
}

// TestSecretsStayWhileTried posts a configuration with masked secrets: they go where the stored ones go, and nowhere else.
func TestSecretsStayWhileTried(t *testing.T) {
	auth := make(chan string, 10)
	tell := func(w http.ResponseWriter, r *http.Request) {
		auth <- r.Header.Get("Authorization")
		_, _ = fmt.Fprint(w, `{"ok":true}`)
	}
	one, other := httptest.NewServer(http.HandlerFunc(tell)), httptest.NewServer(http.HandlerFunc(tell))
	defer one.Close()
	defer other.Close()
	w := newWorld(t)
	p := w.start(t, "one")
	config := "route: {receiver: ops}\nreceivers: [{name: ops, slack_configs: [{app_token: TOKEN, app_url: 'URL'}]}]\n"
	stored := strings.NewReplacer("TOKEN", "xoxb-1", "URL", one.URL).Replace(config)
	testkit.Eventually(t, patience, func() error { return p.SaveAlertmanagerConfig(t.Context(), tenantA, stored, nil) })
	same := strings.NewReplacer("TOKEN", secretMask, "URL", one.URL).Replace(config)
	if _, err := p.TestReceiver(t.Context(), tenantA, "ops", ReceiverTest{Config: &same}); err != nil {
		t.Fatal(err)
	}
	if got := <-auth; got != "Bearer xoxb-1" {
		t.Errorf("the service got %q, want the stored secret", got)
	}
	moved := strings.NewReplacer("TOKEN", secretMask, "URL", other.URL).Replace(config)
	if _, err := p.TestReceiver(t.Context(), tenantA, "ops", ReceiverTest{Config: &moved}); err == nil || !strings.Contains(err.Error(), "send the value itself") {
		t.Errorf("moved: %v, want a refusal", err)
	}
	if len(auth) != 0 {
		t.Error("the secret went elsewhere")
	}
}

func TestTrialsAreRefused(t *testing.T) {
	w := newWorld(t)
	p := w.start(t, "one", func(o *Options) { o.Limits.TestsPerMinute = 1 })
	testkit.Eventually(t, patience, func() error {
		return p.SaveAlertmanagerConfig(t.Context(), tenantA, "route: {receiver: r}\nreceivers: [{name: r}]\n", nil)
	})
	broken := "route: {receiver: nobody}"
	for name, tt := range map[string]struct {
		receiver string
		test     ReceiverTest
		want     seamark.Kind
	}{
		"unknown":     {"x", ReceiverTest{}, seamark.NotFound},
		"broken":      {"r", ReceiverTest{Config: &broken}, seamark.Invalid},
		"no alert":    {"r", ReceiverTest{Labels: map[string]string{"alertname": "", "severity": ""}}, seamark.Invalid},
		"long label":  {"r", ReceiverTest{Labels: map[string]string{"a": strings.Repeat("x", maxTestTextLen+1)}}, seamark.Invalid},
		"bad name":    {"r", ReceiverTest{Labels: map[string]string{"\xff": "x"}}, seamark.Invalid},
		"many labels": {"r", ReceiverTest{Annotations: manyLabels()}, seamark.Invalid},
	} {
		if _, err := p.TestReceiver(t.Context(), tenantA, tt.receiver, tt.test); seamark.KindOf(err) != tt.want || err == nil {
			t.Errorf("%s: %v, want kind %v", name, err, tt.want)
		}
	}
	if _, err := p.TestReceiver(t.Context(), tenantA, "r", ReceiverTest{}); err != nil {
		t.Errorf("the first trial: %v", err)
	}
	if _, err := p.TestReceiver(t.Context(), tenantA, "r", ReceiverTest{}); seamark.KindOf(err) != seamark.RateLimited {
		t.Errorf("the second trial in a minute: %v, want RateLimited", err)
	}
	if _, err := p.TestReceiver(t.Context(), tenantB, "none", ReceiverTest{}); err != nil {
		t.Errorf("a tenant without a configuration: %v", err)
	}
}

func manyLabels() map[string]string {
	m := map[string]string{}
	for i := range maxTestLabels + 1 {
		m[fmt.Sprint("a", i)] = "x"
	}
	return m
}

// TestDeliveriesAreLogged follows a group through a failure, a retry and a restart.
func TestDeliveriesAreLogged(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	w := newWorld(t)
	w.set(tenantA, "down", labels.FromStrings("pod", "a"))
	p := w.start(t, "one", func(o *Options) { o.Limits.DeliveriesKept = 3 })
	p.saveHook(t, tenantA, s.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	var log []Delivery
	testkit.Eventually(t, patience, func() error {
		var err error
		log, err = p.ListDeliveries(t.Context(), tenantA, DeliveryFilter{})
		if err == nil && len(log) < 2 {
			err = fmt.Errorf("the log has %+v", log)
		}
		return err
	})
	first, second := log[len(log)-1], log[len(log)-2]
	if first.Status != DeliveryFailed || first.Code != 503 || !first.Retry || first.Attempt != 1 || first.Alerts != 1 || first.Integration != "webhook[0]" ||
		!strings.Contains(first.GroupKey, "PodDown") || first.Error != "the receiver answered 503" {
		t.Errorf("the first attempt is %+v", first)
	}
	if second.Status != DeliverySent || second.Attempt != 2 || second.Retry || second.Error != "" || second.Time.Before(first.Time) {
		t.Errorf("the second attempt is %+v", second)
	}
	p.kill(t)
	again := w.start(t, "two", func(o *Options) { o.Limits.DeliveriesKept = 3 })
	kept, err := again.ListDeliveries(t.Context(), tenantA, DeliveryFilter{Status: DeliveryFailed, Limit: 1})
	if err != nil || len(kept) != 1 || !kept[0].Time.Equal(first.Time) {
		t.Errorf("after a restart the log has %+v, %v", kept, err)
	}
	for range 5 {
		again.deliveries.record(tenantA, &Delivery{Time: time.Now(), Receiver: "x"})
	}
	testkit.Eventually(t, patience, func() error {
		kept, err := again.ListDeliveries(t.Context(), tenantA, DeliveryFilter{})
		if err == nil && (len(kept) != 3 || kept[0].Receiver != "x" || kept[2].Receiver != "x") {
			err = fmt.Errorf("the log has %d entries; want the newest three", len(kept))
		}
		return err
	})
}

// TestNewSecretsAreMasked reads every secret field of every kind back.
func TestNewSecretsAreMasked(t *testing.T) {
	config := `
global:
  smtp_smarthost: mx.example.com:587
  smtp_from: a@example.com
  smtp_auth_username: u
  smtp_auth_password: HUSH-1
  smtp_auth_secret: HUSH-2
  slack_api_url: https://hooks.example.com/HUSH-3
  opsgenie_api_key: HUSH-4
  victorops_api_key: HUSH-5
  telegram_bot_token: HUSH-6
route: {receiver: r}
receivers:
  - name: r
    slack_configs: [{api_url: 'https://x.example.com/HUSH-7'}, {app_token: HUSH-8}]
    email_configs: [{to: b@example.com, auth_password: HUSH-9, auth_secret: HUSH-10, tls_config: {cert: x, key: HUSH-11}}]
    pagerduty_configs: [{routing_key: HUSH-12}]
    opsgenie_configs: [{api_key: HUSH-13}]
    victorops_configs: [{api_key: HUSH-14, routing_key: team}]
    pushover_configs: [{user_key: HUSH-15, token: HUSH-16}]
    telegram_configs: [{bot_token: HUSH-17, chat_id: 1}]
    discord_configs: [{webhook_url: 'https://x.example.com/HUSH-18'}]
    msteams_configs: [{webhook_url: 'https://x.example.com/HUSH-19'}]
    msteamsv2_configs: [{webhook_url: 'https://x.example.com/HUSH-20'}]
    sns_configs: [{phone_number: '+1', sigv4: {region: r1, access_key: a, secret_key: HUSH-21}}]
    dingtalk_configs: [{url: 'https://x.example.com/?access_token=HUSH-22', secret: HUSH-23}]
    feishu_configs: [{url: 'https://x.example.com/HUSH-24', secret: HUSH-25}]
    wecom_configs: [{url: 'https://x.example.com/?key=HUSH-26'}]
`
	masked, err := maskSecrets(config)
	if err != nil || strings.Contains(masked, "HUSH") || strings.Count(masked, secretMask) != 26 {
		t.Errorf("masked, %v: %s", err, masked)
	}
	restored, err := restoreSecrets(masked, config)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	for i := range 26 {
		if !strings.Contains(restored, fmt.Sprintf("HUSH-%d", i+1)) {
			t.Errorf("HUSH-%d did not come back", i+1)
		}
	}
	for _, moved := range [][2]string{
		{"smtp_smarthost: mx.example.com", "smtp_smarthost: mx.evil.example"},
		{"- routing_key: <secret>", "- routing_key: <secret>\n          url: https://evil.example/"},
		{"{routing_key: <secret>", "{url: 'https://evil.example/', routing_key: <secret>"},
		{"phone_number: '+1'", "phone_number: '+1', api_url: 'https://evil.example/'"},
	} {
		text := strings.Replace(masked, moved[0], moved[1], 1)
		if text == masked {
			continue // the encoder chose another form
		}
		changed++
		if _, err := restoreSecrets(text, config); err == nil || !strings.Contains(err.Error(), "send the value itself") {
			t.Errorf("%s: %v, want a refusal", moved[1], err)
		}
	}
	if changed < 3 {
		t.Errorf("%d targets were moved, want 3; the masked configuration is %s", changed, masked)
	}
}

// ready waits until a process knows what is stored.
func (p *process) ready(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		_, err := p.ListReceivers(t.Context(), tenantA)
		return err
	})
}
