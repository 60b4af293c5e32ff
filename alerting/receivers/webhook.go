package receivers

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
)

// webhookMessage is Alertmanager's webhook message (version 4), with evidence by the alerts' fingerprints beside it.
type webhookMessage struct {
	webhook.Message
	Evidence map[model.Fingerprint]Evidence `json:"evidence,omitempty"`
}

// webhookService posts Alertmanager's webhook message. What the receiver answers is not repeated: the URL is the tenant's
// own, so repeating would be a way to read what lies behind it.
type webhookService struct{ conf *webhook.WebhookConfig }

func (s *webhookService) requests(n *note) ([]request, error) {
	url := n.expandText(string(s.conf.URL))
	if n.err != nil {
		return nil, nil // the note tells of it
	}
	var message any = &webhookMessage{
		Message:  webhook.Message{Version: "4", Data: n.data, GroupKey: n.key.String(), TruncatedAlerts: n.truncated},
		Evidence: n.evidence,
	}
	if s.conf.Payload != nil {
		var err error
		message, err = template.DeepCopyWithTemplate(s.conf.Payload, func(text string) (string, error) { return n.expandText(text), n.err })
		if err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode the message: %w", err)
	}
	return []request{{url: url, body: body, header: http.Header{"Idempotency-Key": {n.dedup}}}}, nil
}

func (s *webhookService) judge(a *answer) *Failure { return judgeStatus(a) }
