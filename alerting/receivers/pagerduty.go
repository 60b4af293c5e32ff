package receivers

import (
	"encoding/json"
	"strings"

	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/template"
)

// pagerdutyService posts events of PagerDuty's Events API v2. The group's key is the dedup_key, so a group is one incident
// from its first alert until it is resolved, whoever sends.
type pagerdutyService struct{ conf *pagerduty.PagerdutyConfig }

type pagerdutyEvent struct {
	RoutingKey string            `json:"routing_key"`
	Action     string            `json:"event_action"`
	DedupKey   string            `json:"dedup_key"`
	Payload    *pagerdutyPayload `json:"payload"`
	Client     string            `json:"client,omitempty"`
	ClientURL  string            `json:"client_url,omitempty"`
	Images     []pagerdutyImage  `json:"images,omitempty"`
	Links      []pagerdutyLink   `json:"links,omitempty"`
}

type pagerdutyPayload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Class     string         `json:"class,omitempty"`
	Component string         `json:"component,omitempty"`
	Group     string         `json:"group,omitempty"`
	Details   map[string]any `json:"custom_details,omitempty"`
}

type pagerdutyImage struct {
	Src  string `json:"src"`
	Alt  string `json:"alt"`
	Href string `json:"href"`
}

type pagerdutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Limits of the Events API v2.
const (
	maxPagerdutySummary = 1024
	maxPagerdutyEvent   = 512 << 10
)

func (s *pagerdutyService) requests(n *note) ([]request, error) {
	c := s.conf
	details := make(map[string]any, len(c.Details)+1)
	for name, value := range c.Details {
		expanded, err := template.DeepCopyWithTemplate(value, func(text string) (string, error) { return n.expandText(text), n.err })
		if err != nil {
			return nil, err
		}
		details[name] = expanded
	}
	if len(n.evidence) > 0 {
		details["evidence"] = n.evidence
	}
	severity := c.Severity
	if severity == "" {
		severity = "error"
	}
	event := pagerdutyEvent{
		RoutingKey: n.expandText(string(c.RoutingKey)), Action: "resolve", DedupKey: n.key.Hash(), Client: n.expandText(c.Client), ClientURL: n.expandText(c.ClientURL),
		Payload: &pagerdutyPayload{
			Summary: cut(n.expandText(c.Description), maxPagerdutySummary), Source: n.expandText(c.Source), Severity: n.expandText(severity), Details: details,
			Class: n.expandText(c.Class), Component: n.expandText(c.Component), Group: n.expandText(c.Group),
		},
	}
	if n.firing() {
		event.Action = "trigger"
	}
	s.attach(n, &event)
	if event.RoutingKey == "" && n.err == nil {
		return nil, final("the routing key is empty after templating")
	}
	body, err := json.Marshal(event)
	if err == nil && len(body) > maxPagerdutyEvent {
		event.Payload.Details = map[string]any{"left_out": "The details are larger than PagerDuty takes; they are in the console."}
		body, err = json.Marshal(event)
	}
	return []request{{url: c.URL.String(), body: body}}, err
}

// attach adds the configuration's images and links, and the links of the evidence.
func (s *pagerdutyService) attach(n *note, event *pagerdutyEvent) {
	for _, i := range s.conf.Images {
		if src := n.expandText(i.Src); src != "" {
			event.Images = append(event.Images, pagerdutyImage{Src: src, Alt: n.expandText(i.Alt), Href: n.expandText(i.Href)})
		}
	}
	for _, l := range s.conf.Links {
		if href := n.expandText(l.Href); href != "" {
			event.Links = append(event.Links, pagerdutyLink{Href: href, Text: n.expandText(l.Text)})
		}
	}
	for _, a := range n.alerts {
		for _, l := range n.evidence[a.Fingerprint()].Links {
			event.Links = append(event.Links, pagerdutyLink{Href: l.URL, Text: l.Text})
		}
	}
}

func (s *pagerdutyService) judge(a *answer) *Failure {
	f := judgeStatus(a)
	if f == nil {
		return nil
	}
	var said struct {
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}
	if json.Unmarshal(a.body, &said) == nil {
		f.Said = strings.Trim(said.Message+": "+strings.Join(said.Errors, ", "), ": ")
	}
	return f
}
