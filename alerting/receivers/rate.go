package receivers

import "time"

// ratesOf returns the limits of a service, as its documentation tells them; where it tells none, a pace that no service
// minds. Without them a burst of a tenant's alerts has its robot blocked, and the next alert with it.
func ratesOf(kind string) []Rate {
	switch kind {
	case "slack": // "1 per second" for each webhook or channel
		return []Rate{{1, time.Second}}
	case "pagerduty": // 120 events a minute for each integration key
		return []Rate{{120, time.Minute}}
	case "msteams", "msteamsv2": // four requests a second for each address
		return []Rate{{4, time.Second}}
	case "telegram": // one message a second to a chat, 20 a minute to a group
		return []Rate{{1, time.Second}, {20, time.Minute}}
	case "discord": // five requests in two seconds, 30 messages a minute for each webhook
		return []Rate{{5, 2 * time.Second}, {30, time.Minute}}
	case "dingtalk", "wecom": // 20 messages a minute for each robot
		return []Rate{{20, time.Minute}}
	case "feishu": // five a second and 100 a minute for each robot
		return []Rate{{5, time.Second}, {100, time.Minute}}
	case "sns": // 20 text messages a second for each account
		return []Rate{{20, time.Second}}
	case "pushover", "email", "victorops":
		return []Rate{{5, time.Second}}
	case "opsgenie":
		return []Rate{{10, time.Second}}
	default: // webhooks
		return []Rate{{50, time.Second}}
	}
}
