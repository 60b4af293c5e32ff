package receivers

import (
	"bytes"
	"encoding/json"

	"github.com/prometheus/alertmanager/notify/msteams"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/common/model"
)

// msteamsService posts message cards to the connectors of Microsoft Teams.
type msteamsService struct{ conf *msteams.MSTeamsConfig }

// maxTeamsText bounds a card's text: Teams takes 28 KB a card.
const maxTeamsText = 20 << 10

func (s *msteamsService) requests(n *note) ([]request, error) {
	color := "2DC72D"
	if n.firing() {
		color = "8C1A1A"
	}
	body, err := json.Marshal(map[string]string{
		"@context": "http://schema.org/extensions", "@type": "MessageCard", "title": n.expandText(s.conf.Title), "summary": n.expandText(s.conf.Summary),
		"text": cutBytes(n.expandText(s.conf.Text), maxTeamsText), "themeColor": color,
	})
	return []request{{url: s.conf.WebhookURL.String(), body: body}}, err
}

// judge takes the body 1 as delivered: connectors answer 200 with a sentence when Teams itself refused the card.
func (s *msteamsService) judge(a *answer) *Failure {
	f := judgeStatus(a)
	if f == nil && !bytes.Equal(bytes.TrimSpace(a.body), []byte("1")) {
		f = &Failure{Status: a.status, Reason: "Teams did not take the card", Retry: true}
	}
	return f
}

// msteamsV2Service posts adaptive cards to the workflows of Microsoft Teams.
type msteamsV2Service struct{ conf *msteamsv2.MSTeamsV2Config }

type adaptiveBlock struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Wrap   bool   `json:"wrap"`
	Style  string `json:"style,omitempty"`
	Color  string `json:"color,omitempty"`
}

func (s *msteamsV2Service) requests(n *note) ([]request, error) {
	color := "Good"
	if n.data.Status == string(model.AlertFiring) {
		color = "Attention"
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2", "msteams": map[string]string{"width": "full"},
		"body": []adaptiveBlock{
			{Type: "TextBlock", Text: n.expandText(s.conf.Title), Weight: "Bolder", Size: "Medium", Wrap: true, Style: "heading", Color: color},
			{Type: "TextBlock", Text: cutBytes(n.expandText(s.conf.Text), maxTeamsText), Wrap: true},
		},
	}
	body, err := json.Marshal(map[string]any{
		"type": "message", "attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}},
	})
	return []request{{url: s.conf.WebhookURL.String(), body: body}}, err
}

func (s *msteamsV2Service) judge(a *answer) *Failure {
	f := judgeStatus(a)
	var said struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if f != nil && json.Unmarshal(a.body, &said) == nil {
		f.Said = said.Error.Code
	}
	return f
}
