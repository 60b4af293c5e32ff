package receivers

import (
	"encoding/json"
	"time"
)

// wecomService posts to WeCom's group robots.
type wecomService struct{ conf *WeComConfig }

// WeCom's limits, in bytes.
const (
	maxWecomMarkdown = 4096
	maxWecomText     = 2048
)

func (s *wecomService) requests(n *note) ([]request, error) {
	c := s.conf
	title, text := n.expandText(c.Title), n.expandText(c.Text)
	message := map[string]any{"msgtype": c.MessageType}
	if c.MessageType == "text" {
		message["text"] = map[string]any{"content": cutBytes(title+"\n"+text, maxWecomText), "mentioned_mobile_list": c.Mobiles}
	} else {
		message["markdown"] = map[string]string{"content": cutBytes("### "+title+"\n"+text, maxWecomMarkdown)}
	}
	body, err := json.Marshal(message)
	return []request{{url: string(c.URL), body: body}}, err
}

func (s *wecomService) judge(a *answer) *Failure {
	const tooOften = 45009
	f, code := judgeErrcode(a, "WeCom", -1, tooOften)
	if code == tooOften {
		f.RetryAfter = time.Minute
	}
	return f
}
