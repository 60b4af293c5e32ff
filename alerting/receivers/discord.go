package receivers

import (
	"encoding/json"
	"time"

	"github.com/prometheus/alertmanager/notify/discord"
)

// discordService posts to Discord's webhooks.
type discordService struct{ conf *discord.DiscordConfig }

// Discord's limits of an embed, in characters.
const (
	maxDiscordTitle   = 256
	maxDiscordMessage = 4096
	maxDiscordContent = 2000
)

func (s *discordService) requests(n *note) ([]request, error) {
	c := s.conf
	color := 0x2ECC71
	if n.firing() {
		color = 0x992D22
	}
	message := map[string]any{
		"content": cut(n.expandText(c.Content), maxDiscordContent),
		"embeds": []any{map[string]any{
			"title": cut(n.expandText(c.Title), maxDiscordTitle), "description": cut(n.expandText(c.Message), maxDiscordMessage), "color": color,
		}},
		"allowed_mentions": map[string]any{"parse": []string{}}, // what labels and logs hold wakes nobody
	}
	if c.Username != "" {
		message["username"] = c.Username
	}
	if c.AvatarURL != "" {
		message["avatar_url"] = c.AvatarURL
	}
	body, err := json.Marshal(message)
	return []request{{url: c.WebhookURL.String(), body: body}}, err
}

// judge reads the wait out of the body, too: Discord tells fractions of a second there.
func (s *discordService) judge(a *answer) *Failure {
	f := judgeMessage(a)
	if f == nil {
		return nil
	}
	var said struct {
		RetryAfter float64 `json:"retry_after"`
	}
	if json.Unmarshal(a.body, &said) == nil && said.RetryAfter > 0 {
		f.RetryAfter = min(maxRetryAfter, max(f.RetryAfter, time.Duration(min(said.RetryAfter, maxRetryAfter.Seconds())*float64(time.Second))))
	}
	return f
}
