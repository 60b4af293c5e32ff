package receivers

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/alertmanager/notify/opsgenie"
)

// opsgenieService creates and closes alerts of Opsgenie's Alert API v2. The group's key is the alias, by which Opsgenie drops
// what it already has.
type opsgenieService struct{ conf *opsgenie.OpsGenieConfig }

type opsgenieAlert struct {
	Alias       string              `json:"alias"`
	Message     string              `json:"message"`
	Description string              `json:"description,omitempty"`
	Details     map[string]string   `json:"details"`
	Source      string              `json:"source"`
	Responders  []opsgenieResponder `json:"responders,omitempty"`
	Tags        []string            `json:"tags,omitempty"`
	Note        string              `json:"note,omitempty"`
	Priority    string              `json:"priority,omitempty"`
	Entity      string              `json:"entity,omitempty"`
	Actions     []string            `json:"actions,omitempty"`
}

type opsgenieResponder struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Type     string `json:"type"`
}

// Limits of the Alert API v2, in characters.
const (
	maxOpsgenieMessage     = 130
	maxOpsgenieDescription = 15000
)

func (s *opsgenieService) requests(n *note) ([]request, error) {
	header := http.Header{"Authorization": {"GenieKey " + n.expandText(string(s.conf.APIKey))}}
	var list []request
	add := func(method, path string, body any) error {
		encoded, err := json.Marshal(body)
		list = append(list, request{method: method, url: s.address(path), header: header, body: encoded})
		return err
	}
	alias := n.key.Hash()
	if !n.firing() {
		err := add(http.MethodPost, "v2/alerts/"+alias+"/close", map[string]string{"source": n.expandText(s.conf.Source)})
		return list, err
	}
	a := s.alert(n, alias)
	if err := add(http.MethodPost, "v2/alerts", a); err != nil {
		return nil, err
	}
	if !s.conf.UpdateAlerts {
		return list, nil
	}
	if err := add(http.MethodPut, "v2/alerts/"+alias+"/message", map[string]string{"message": a.Message}); err != nil {
		return nil, err
	}
	err := add(http.MethodPut, "v2/alerts/"+alias+"/description", map[string]string{"description": a.Description})
	return list, err
}

func (s *opsgenieService) address(path string) string {
	u := s.conf.APIURL.Copy()
	u.Path += path
	if strings.HasPrefix(path, "v2/alerts/") {
		u.RawQuery = url.Values{"identifierType": {"alias"}}.Encode()
	}
	return u.String()
}

func (s *opsgenieService) alert(n *note, alias string) *opsgenieAlert {
	c := s.conf
	details := make(map[string]string, len(n.data.CommonLabels)+len(c.Details))
	maps.Copy(details, n.data.CommonLabels)
	for name, text := range c.Details {
		details[name] = n.expandText(text)
	}
	return &opsgenieAlert{
		Alias: alias, Message: cut(n.expandText(c.Message), maxOpsgenieMessage), Description: cut(n.expandText(c.Description), maxOpsgenieDescription),
		Details: details, Source: n.expandText(c.Source), Responders: s.responders(n), Tags: words(n.expandText(c.Tags)), Note: n.expandText(c.Note),
		Priority: n.expandText(c.Priority), Entity: n.expandText(c.Entity), Actions: words(n.expandText(c.Actions)),
	}
}

// responders expands the responders and leaves out those that come to nothing. The type teams stands for a list of names.
func (s *opsgenieService) responders(n *note) []opsgenieResponder {
	var list []opsgenieResponder
	for _, r := range s.conf.Responders {
		one := opsgenieResponder{ID: n.expandText(r.ID), Name: n.expandText(r.Name), Username: n.expandText(r.Username), Type: n.expandText(r.Type)}
		switch {
		case one.ID == "" && one.Name == "" && one.Username == "":
		case one.Type == "teams":
			for _, team := range words(one.Name) {
				list = append(list, opsgenieResponder{Name: team, Type: "team"})
			}
		default:
			list = append(list, one)
		}
	}
	return list
}

// words splits a list at its commas and leaves out what is empty.
func words(text string) []string {
	var list []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

func (s *opsgenieService) judge(a *answer) *Failure { return judgeMessage(a) }

// judgeMessage is judgeStatus for services that answer {"message": "..."}.
func judgeMessage(a *answer) *Failure {
	f := judgeStatus(a)
	if f == nil {
		return nil
	}
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(a.body, &said) == nil {
		f.Said = said.Message
	}
	return f
}
