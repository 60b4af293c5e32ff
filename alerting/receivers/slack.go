package receivers

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/config"
)

// slackService posts to Slack's incoming webhooks and to chat.postMessage, which answer in two ways: the text "ok", or JSON
// whose field ok may be false under status 200.
type slackService struct{ conf *config.SlackConfig }

type slackMessage struct {
	Channel     string            `json:"channel,omitempty"`
	Username    string            `json:"username,omitempty"`
	IconEmoji   string            `json:"icon_emoji,omitempty"`
	IconURL     string            `json:"icon_url,omitempty"`
	LinkNames   bool              `json:"link_names,omitempty"`
	Text        string            `json:"text,omitempty"`
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Title      string               `json:"title,omitempty"`
	TitleLink  string               `json:"title_link,omitempty"`
	Pretext    string               `json:"pretext,omitempty"`
	Text       string               `json:"text"`
	Fallback   string               `json:"fallback"`
	CallbackID string               `json:"callback_id"`
	Fields     []config.SlackField  `json:"fields,omitempty"`
	Actions    []config.SlackAction `json:"actions,omitempty"`
	ImageURL   string               `json:"image_url,omitempty"`
	ThumbURL   string               `json:"thumb_url,omitempty"`
	Footer     string               `json:"footer"`
	Color      string               `json:"color,omitempty"`
	MrkdwnIn   []string             `json:"mrkdwn_in,omitempty"`
}

// Slack shows at most so many characters.
const (
	maxSlackTitle = 1024
	maxSlackText  = 7500
)

func (s *slackService) requests(n *note) ([]request, error) {
	c := s.conf
	a := slackAttachment{
		Title: cut(n.expandText(c.Title), maxSlackTitle), TitleLink: n.expandText(c.TitleLink), Pretext: n.expandText(c.Pretext),
		Text: cut(n.expandText(c.Text), maxSlackText), Fallback: n.expandText(c.Fallback), CallbackID: n.expandText(c.CallbackID),
		ImageURL: n.expandText(c.ImageURL), ThumbURL: n.expandText(c.ThumbURL), Footer: n.expandText(c.Footer), Color: n.expandText(c.Color),
		MrkdwnIn: c.MrkdwnIn, Fields: s.fields(n), Actions: s.actions(n),
	}
	if len(a.MrkdwnIn) == 0 {
		a.MrkdwnIn = []string{"fallback", "pretext", "text"}
	}
	body, err := json.Marshal(slackMessage{
		Channel: n.expandText(c.Channel), Username: n.expandText(c.Username), IconEmoji: n.expandText(c.IconEmoji), IconURL: n.expandText(c.IconURL),
		LinkNames: c.LinkNames, Text: cut(n.expandText(c.MessageText), maxSlackText), Attachments: []slackAttachment{a},
	})
	return []request{{url: c.APIURL.String(), body: body}}, err
}

func (s *slackService) fields(n *note) []config.SlackField {
	fields := make([]config.SlackField, 0, len(s.conf.Fields))
	for _, f := range s.conf.Fields {
		short := s.conf.ShortFields
		if f.Short != nil {
			short = *f.Short
		}
		fields = append(fields, config.SlackField{Title: n.expandText(f.Title), Value: n.expandText(f.Value), Short: &short})
	}
	return fields
}

func (s *slackService) actions(n *note) []config.SlackAction {
	actions := make([]config.SlackAction, 0, len(s.conf.Actions))
	for _, a := range s.conf.Actions {
		action := config.SlackAction{
			Type: n.expandText(a.Type), Text: n.expandText(a.Text), URL: n.expandText(a.URL), Style: n.expandText(a.Style), Name: n.expandText(a.Name), Value: n.expandText(a.Value),
		}
		if q := a.ConfirmField; q != nil {
			action.ConfirmField = &config.SlackConfirmationField{
				Title: n.expandText(q.Title), Text: n.expandText(q.Text), OkText: n.expandText(q.OkText), DismissText: n.expandText(q.DismissText),
			}
		}
		actions = append(actions, action)
	}
	return actions
}

func (s *slackService) judge(a *answer) *Failure {
	if f := judgeStatus(a); f != nil {
		if !strings.Contains(a.header.Get("Content-Type"), "html") {
			f.Said = slackWord(a.body)
		}
		return f
	}
	if string(a.body) == "ok" {
		return nil
	}
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		return &Failure{Status: a.status, Reason: "what answered is not Slack", Said: slackWord(a.body)}
	}
	if said.OK {
		return nil
	}
	passing := []string{"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
	return &Failure{Status: a.status, Reason: "Slack refused the message", Said: said.Error, Retry: slices.Contains(passing, said.Error), RetryAfter: retryAfter(a.header, a.now)}
}

// slackWord returns the code that an incoming webhook answers with, such as invalid_token; "" for anything else.
func slackWord(body []byte) string {
	const longest = 64
	if len(body) > longest {
		return ""
	}
	for _, b := range body {
		if (b < 'a' || b > 'z') && b != '_' {
			return ""
		}
	}
	return string(body)
}
