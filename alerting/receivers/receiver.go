package receivers

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	commoncfg "github.com/prometheus/common/config"
)

// Receiver is one receiver of a configuration: what Alertmanager knows, and the robots that it does not.
type Receiver struct {
	config.Receiver
	DingTalk []*DingTalkConfig
	Feishu   []*FeishuConfig
	WeCom    []*WeComConfig
}

// Integration is one place that a receiver tells.
type Integration struct {
	Kind     string // such as slack
	Index    int    // among the receiver's of this kind
	Sender   notify.ResolvedSender
	Notifier notify.Notifier
}

// Name is the integration's name in the delivery log, such as slack[0].
func (i *Integration) Name() string { return fmt.Sprintf("%s[%d]", i.Kind, i.Index) }

// Endpoint is an address of a configuration that can be told before anything is sent.
type Endpoint struct {
	Field string // such as slack_configs[0].api_url
	URL   string // of HTTP; "" for a mail server
	Host  string // and port of a mail server
	Port  string
}

// place is one integration before it is built.
type place struct {
	kind     string
	index    int
	field    string // that names the address
	address  string
	sender   notify.ResolvedSender
	http     *commoncfg.HTTPClientConfig
	timeout  time.Duration
	target   string // whose rate limit it shares; "" is address
	service  service
	maxAlert uint64
	email    *config.EmailConfig
	err      error
}

// Endpoints lists the addresses of the receiver, so that they can be checked when it is saved.
func (r *Receiver) Endpoints() []Endpoint {
	var list []Endpoint
	for _, p := range r.places("") {
		e := Endpoint{Field: fmt.Sprintf("%s_configs[%d].%s", p.kind, p.index, p.field)}
		if p.email != nil {
			e.Host, e.Port = p.email.Smarthost.Host, p.email.Smarthost.Port
		} else {
			e.URL = p.address
		}
		list = append(list, e)
	}
	return list
}

// Integrations lists the names of the receiver's integrations, such as slack[0].
func (r *Receiver) Integrations() []string {
	list := []string{}
	for _, p := range r.places("") {
		list = append(list, (&Integration{Kind: p.kind, Index: p.index}).Name())
	}
	return list
}

// Validate reports what upstream's checks let through and no notification would survive.
func (r *Receiver) Validate() error {
	for _, p := range r.places("") {
		if p.err != nil {
			return fmt.Errorf("%s_configs[%d]: %w", p.kind, p.index, p.err)
		}
		if p.email != nil {
			if err := checkMail(p.email); err != nil {
				return fmt.Errorf("%s_configs[%d]: %w", p.kind, p.index, err)
			}
		}
	}
	return nil
}

// Build returns the receiver's integrations. They keep o.
func (r *Receiver) Build(o *Options) ([]Integration, error) {
	var list []Integration
	for _, p := range r.places(o.pushoverURL) {
		if p.err != nil {
			return nil, fmt.Errorf("%s_configs[%d]: %w", p.kind, p.index, p.err)
		}
		built := Integration{Kind: p.kind, Index: p.index, Sender: p.sender}
		if p.email != nil {
			built.Notifier = &mailNotifier{conf: p.email, opts: o}
			list = append(list, built)
			continue
		}
		client, err := newClient(o.Guard, p.http)
		if err != nil {
			return nil, fmt.Errorf("%s_configs[%d].http_config: %w", p.kind, p.index, err)
		}
		if p.timeout > 0 {
			client.Timeout = min(p.timeout, maxDeliveryTimeout)
		}
		built.Notifier = &httpNotifier{
			kind: p.kind, target: p.kind + " " + cmp.Or(p.target, p.address), service: p.service, client: client, raw: p.kind == "webhook", most: p.maxAlert, opts: o,
		}
		list = append(list, built)
	}
	return list, nil
}

// places lists the integrations in a fixed order.
func (r *Receiver) places(pushoverURL string) []place {
	return append(append(r.webPlaces(), r.pagers(pushoverURL)...), r.robots()...)
}

// webPlaces are webhooks, mail and the chats that Alertmanager knows.
func (r *Receiver) webPlaces() []place {
	var list []place
	for i, c := range r.WebhookConfigs {
		list = append(list, place{kind: "webhook", index: i, field: "url", address: string(c.URL), sender: c, http: c.HTTPConfig, timeout: c.Timeout, service: &webhookService{c}, maxAlert: c.MaxAlerts})
	}
	for i, c := range r.EmailConfigs {
		list = append(list, place{kind: "email", index: i, field: "smarthost", sender: c, email: c})
	}
	for i, c := range r.SlackConfigs {
		address := c.APIURL.String()
		list = append(list, place{kind: "slack", index: i, field: "api_url", address: address, target: address + " " + c.Channel, sender: c, http: c.HTTPConfig, timeout: c.Timeout, service: &slackService{c}})
	}
	for i, c := range r.MSTeamsConfigs {
		list = append(list, place{kind: "msteams", index: i, field: "webhook_url", address: c.WebhookURL.String(), sender: c, http: c.HTTPConfig, service: &msteamsService{c}})
	}
	for i, c := range r.MSTeamsV2Configs {
		list = append(list, place{kind: "msteamsv2", index: i, field: "webhook_url", address: c.WebhookURL.String(), sender: c, http: c.HTTPConfig, service: &msteamsV2Service{c}})
	}
	for i, c := range r.DiscordConfigs {
		list = append(list, place{kind: "discord", index: i, field: "webhook_url", address: c.WebhookURL.String(), sender: c, http: c.HTTPConfig, service: &discordService{c}})
	}
	for i, c := range r.TelegramConfigs {
		target := fmt.Sprint(string(c.BotToken), " ", c.ChatID)
		list = append(list, place{kind: "telegram", index: i, field: "api_url", address: c.APIUrl.String(), target: target, sender: c, http: c.HTTPConfig, service: &telegramService{c}})
	}
	return list
}

// pagers are the services that wake people up.
func (r *Receiver) pagers(pushoverURL string) []place {
	var list []place
	for i, c := range r.PagerdutyConfigs {
		list = append(list, place{kind: "pagerduty", index: i, field: "url", address: c.URL.String(), target: string(c.RoutingKey), sender: c, http: c.HTTPConfig, timeout: c.Timeout, service: &pagerdutyService{c}})
	}
	for i, c := range r.OpsGenieConfigs {
		list = append(list, place{kind: "opsgenie", index: i, field: "api_url", address: c.APIURL.String(), target: string(c.APIKey), sender: c, http: c.HTTPConfig, service: &opsgenieService{c}})
	}
	for i, c := range r.VictorOpsConfigs {
		list = append(list, place{kind: "victorops", index: i, field: "api_url", address: c.APIURL.String(), target: string(c.APIKey), sender: c, http: c.HTTPConfig, service: &victoropsService{c}})
	}
	for i, c := range r.PushoverConfigs {
		s := &pushoverService{c, cmp.Or(pushoverURL, "https://api.pushover.net/1/messages.json")}
		list = append(list, place{kind: "pushover", index: i, field: "url", address: s.url, target: string(c.Token), sender: c, http: c.HTTPConfig, service: s})
	}
	for i, c := range r.SNSConfigs {
		p := place{kind: "sns", index: i, field: "api_url", target: c.Sigv4.AccessKey, sender: c, http: c.HTTPConfig}
		s, err := newSNS(c)
		if err == nil {
			p.address, p.service = s.url, s
		}
		p.err = err
		list = append(list, p)
	}
	return list
}

// robots are the group robots of DingTalk, Feishu and WeCom.
func (r *Receiver) robots() []place {
	var list []place
	for i, c := range r.DingTalk {
		list = append(list, place{kind: "dingtalk", index: i, field: "url", address: string(c.URL), sender: c, http: c.HTTPConfig, service: &dingtalkService{c}})
	}
	for i, c := range r.Feishu {
		list = append(list, place{kind: "feishu", index: i, field: "url", address: string(c.URL), sender: c, http: c.HTTPConfig, service: &feishuService{c}})
	}
	for i, c := range r.WeCom {
		list = append(list, place{kind: "wecom", index: i, field: "url", address: string(c.URL), sender: c, http: c.HTTPConfig, service: &wecomService{c}})
	}
	return list
}

// Inherit gives robots without an http_config the global one, as Alertmanager does for those that it knows.
func (r *Receiver) Inherit(global *commoncfg.HTTPClientConfig) {
	for _, c := range r.DingTalk {
		c.HTTPConfig = cmp.Or(c.HTTPConfig, global)
	}
	for _, c := range r.Feishu {
		c.HTTPConfig = cmp.Or(c.HTTPConfig, global)
	}
	for _, c := range r.WeCom {
		c.HTTPConfig = cmp.Or(c.HTTPConfig, global)
	}
}

// Kinds lists the kinds of receivers in the words of a configuration, without `_configs`.
func Kinds() []string {
	return strings.Fields("webhook email slack pagerduty opsgenie msteams msteamsv2 telegram discord victorops pushover sns dingtalk feishu wecom")
}
