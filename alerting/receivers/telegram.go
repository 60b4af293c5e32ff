package receivers

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/notify/telegram"
)

// telegramService calls sendMessage of Telegram's bot API.
type telegramService struct{ conf *telegram.TelegramConfig }

const maxTelegramMessage = 4096

func (s *telegramService) requests(n *note) ([]request, error) {
	c := s.conf
	message := map[string]any{"chat_id": c.ChatID, "disable_web_page_preview": true, "disable_notification": c.DisableNotifications}
	switch c.ParseMode {
	case "HTML":
		text := strings.TrimSpace(n.expandHTML(c.Message))
		if runes := []rune(text); len(runes) > maxTelegramMessage {
			// A cut could fall into a tag, and Telegram refuses what is no HTML: the text goes without its tags instead.
			text = cut(stripTags(text), maxTelegramMessage)
		} else {
			message["parse_mode"] = c.ParseMode
		}
		message["text"] = text
	default:
		message["text"] = cut(strings.TrimSpace(n.expandText(c.Message)), maxTelegramMessage)
		if c.ParseMode != "" {
			message["parse_mode"] = c.ParseMode
		}
	}
	if c.MessageThreadID != 0 {
		message["message_thread_id"] = c.MessageThreadID
	}
	body, err := json.Marshal(message)
	return []request{{url: strings.TrimSuffix(c.APIUrl.String(), "/") + "/bot" + string(c.BotToken) + "/sendMessage", body: body}}, err
}

func (s *telegramService) judge(a *answer) *Failure {
	var said struct {
		OK          bool   `json:"ok"`
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	decoded := json.Unmarshal(a.body, &said)
	f := judgeStatus(a)
	if f == nil && (decoded != nil || !said.OK) {
		f = &Failure{Status: a.status, Reason: "Telegram refused the message"}
	}
	if f != nil && decoded == nil {
		f.Said = said.Description
		f.RetryAfter = max(f.RetryAfter, min(maxRetryAfter, time.Duration(min(said.Parameters.RetryAfter, int(maxRetryAfter/time.Second)))*time.Second))
	}
	return f
}

// stripTags leaves the text of what expandHTML made, with its entities resolved.
func stripTags(markup string) string {
	var text strings.Builder
	inTag := false
	for _, r := range markup {
		switch {
		case r == '<':
			inTag = true
		case r == '>':
			inTag = false
		case !inTag:
			text.WriteRune(r)
		}
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&#43;", "+", "&amp;", "&").Replace(text.String())
}
