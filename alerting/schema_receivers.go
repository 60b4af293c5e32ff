package alerting

import "strings"

// The leaves of the allow-list.
func secretValue() *schema { return &schema{secret: true} }
func targetValue() *schema { return &schema{target: true} }

// secretTarget is an address with its token in it.
func secretTarget() *schema { return &schema{secret: true, target: true} }

// keysOf makes the allow-list of a mapping whose values are left to upstream's own strict parser.
func keysOf(names string) map[string]*schema {
	keys := map[string]*schema{}
	for name := range strings.FieldsSeq(names) {
		keys[name] = nil
	}
	return keys
}

// with adds keys to a mapping.
func (s *schema) with(keys map[string]*schema) *schema {
	for name, below := range keys {
		s.keys[name] = below
	}
	return s
}

// tlsSchema is what may be said of TLS: everything inline, nothing in files.
func tlsSchema() *schema {
	return (&schema{keys: keysOf("ca cert server_name min_version max_version insecure_skip_verify")}).with(map[string]*schema{"key": secretValue()})
}

// clientSchema is what may be said of an HTTP client.
func clientSchema() *schema {
	return &schema{
		keys: map[string]*schema{
			"basic_auth":       {keys: map[string]*schema{"username": nil, "password": secretValue()}},
			"authorization":    {keys: map[string]*schema{"type": nil, "credentials": secretValue()}},
			"bearer_token":     secretValue(),
			"follow_redirects": {off: true},
			"enable_http2":     nil,
			"http_headers":     {any: &schema{keys: map[string]*schema{"values": secretValue(), "secrets": secretValue()}}},
			"tls_config":       tlsSchema(),
		},
		hints: map[string]string{
			"proxy_url":              "receivers are reached without a proxy",
			"proxy_from_environment": "receivers are reached without a proxy",
			"oauth2":                 "use authorization or basic_auth",
		},
	}
}

// configSchema returns the allow-list of the whole document.
func configSchema() *schema {
	receivers := &schema{list: true, keys: receiverSchemas()}
	receivers.keys["name"], receivers.keys["labels"] = nil, nil
	return &schema{keys: map[string]*schema{
		"global":              globalSchema(),
		"route":               routeSchema(0),
		"inhibit_rules":       nil,
		"time_intervals":      nil,
		"mute_time_intervals": nil,
		"templates":           nil,
		"receivers":           receivers,
	}}
}

// routeSchema leaves routes to upstream but for their labels, which upstream expands as templates without bounds. Routes
// deeper than maxRouteDepth are refused: without it the check of a document has no bound but its size.
func routeSchema(depth int) *schema {
	const maxRouteDepth = 16
	s := &schema{keys: map[string]*schema{"labels": {plain: true}}, rest: true}
	if depth < maxRouteDepth {
		below := routeSchema(depth + 1)
		below.list = true
		s.keys["routes"] = below
	} else {
		s.keys["routes"] = &schema{list: true, keys: map[string]*schema{}}
	}
	return s
}

func globalSchema() *schema {
	s := &schema{keys: keysOf("resolve_timeout smtp_from smtp_hello smtp_auth_username smtp_auth_identity smtp_require_tls smtp_force_implicit_tls")}
	return s.with(map[string]*schema{
		"http_config": clientSchema(), "smtp_tls_config": tlsSchema(), "smtp_smarthost": targetValue(), "smtp_auth_password": secretValue(),
		"smtp_auth_secret": secretValue(), "slack_api_url": secretTarget(), "slack_app_token": secretValue(), "slack_app_url": targetValue(),
		"pagerduty_url": targetValue(), "opsgenie_api_url": targetValue(), "opsgenie_api_key": secretValue(), "victorops_api_url": targetValue(),
		"victorops_api_key": secretValue(), "telegram_api_url": targetValue(), "telegram_bot_token": secretValue(),
	})
}

// receiverSchemas returns the allow-lists of the kinds of receivers.
func receiverSchemas() map[string]*schema {
	of := func(names string, more map[string]*schema) *schema {
		s := &schema{list: true, keys: keysOf("send_resolved " + names)}
		s.keys["http_config"] = clientSchema()
		return s.with(more)
	}
	robot := func(names string) *schema {
		return of("title text "+names, map[string]*schema{"url": secretTarget()})
	}
	signed := func(names string) *schema { return robot(names).with(map[string]*schema{"secret": secretValue()}) }
	all := map[string]*schema{
		"webhook_configs": of("max_alerts timeout payload", map[string]*schema{"url": secretTarget()}),
		"slack_configs": of("channel username color title title_link pretext text message_text fields short_fields footer fallback callback_id icon_emoji icon_url image_url thumb_url link_names mrkdwn_in actions timeout",
			map[string]*schema{"api_url": secretTarget(), "app_token": secretValue(), "app_url": targetValue()}),
		"pagerduty_configs": of("client client_url description details images links source severity class component group timeout",
			map[string]*schema{"routing_key": secretValue(), "url": targetValue()}),
		"opsgenie_configs": of("message description source details entity responders actions tags note priority update_alerts",
			map[string]*schema{"api_key": secretValue(), "api_url": targetValue()}),
		"victorops_configs": of("routing_key message_type state_message entity_display_name monitoring_tool custom_fields",
			map[string]*schema{"api_key": secretValue(), "api_url": targetValue()}),
		"pushover_configs": of("title message url url_title device sound priority retry expire ttl html monospace",
			map[string]*schema{"user_key": secretValue(), "token": secretValue()}),
		"telegram_configs": of("chat_id message_thread_id message disable_notifications parse_mode",
			map[string]*schema{"bot_token": secretValue(), "api_url": targetValue()}),
		"discord_configs":   of("content title message username avatar_url", map[string]*schema{"webhook_url": secretTarget()}),
		"msteams_configs":   of("title summary text", map[string]*schema{"webhook_url": secretTarget()}),
		"msteamsv2_configs": of("title text", map[string]*schema{"webhook_url": secretTarget()}),
		"sns_configs": of("topic_arn phone_number target_arn subject message attributes", map[string]*schema{
			"api_url": {target: true, plain: true}, "sigv4": {keys: map[string]*schema{"region": targetValue(), "access_key": nil, "secret_key": secretValue()}},
		}),
		"email_configs":    emailSchema(),
		"dingtalk_configs": signed("at_mobiles at_all"),
		"feishu_configs":   signed(""),
		"wecom_configs":    robot("message_type mentioned_mobiles"),
	}
	all["slack_configs"].hints = map[string]string{"update_message": "messages are not changed after they were sent"}
	all["pagerduty_configs"].hints = map[string]string{"service_key": "use routing_key, of the Events API v2"}
	return all
}

func emailSchema() *schema {
	s := &schema{list: true, keys: keysOf("send_resolved to from hello auth_username auth_identity headers html text require_tls force_implicit_tls threading")}
	return s.with(map[string]*schema{
		"smarthost": targetValue(), "auth_password": secretValue(), "auth_secret": secretValue(), "tls_config": tlsSchema(),
	})
}
