package receivers

import (
	"encoding/json"
	"net/url"
	"slices"

	"github.com/prometheus/alertmanager/config"
)

// victoropsService posts to VictorOps' (Splunk On-Call's) REST endpoint. The group's key is the entity_id.
type victoropsService struct{ conf *config.VictorOpsConfig }

const maxVictoropsMessage = 20480

func (s *victoropsService) requests(n *note) ([]request, error) {
	c := s.conf
	kind := n.expandText(c.MessageType)
	switch {
	case !n.firing():
		kind = "RECOVERY"
	case !slices.Contains([]string{"INFO", "WARNING", "CRITICAL"}, kind):
		kind = "CRITICAL"
	}
	message := map[string]string{
		"message_type": kind, "entity_id": n.key.Hash(), "entity_display_name": n.expandText(c.EntityDisplayName),
		"state_message": cut(n.expandText(c.StateMessage), maxVictoropsMessage), "monitoring_tool": n.expandText(c.MonitoringTool),
	}
	for name, text := range c.CustomFields {
		message[name] = n.expandText(text)
	}
	body, err := json.Marshal(message)
	// A routing key may come out of labels: as one segment it cannot lead to another endpoint.
	to := c.APIURL.String() + url.PathEscape(string(c.APIKey)) + "/" + url.PathEscape(n.expandText(c.RoutingKey))
	return []request{{url: to, body: body}}, err
}

func (s *victoropsService) judge(a *answer) *Failure { return judgeMessage(a) }
