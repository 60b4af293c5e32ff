package receivers

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// feishuService posts cards to the group robots of Feishu and Lark.
type feishuService struct{ conf *FeishuConfig }

// maxFeishuText keeps a card within the 20 KB that a robot takes.
const maxFeishuText = 15 << 10

func (s *feishuService) requests(n *note) ([]request, error) {
	color := "green"
	if n.firing() {
		color = "red"
	}
	message := map[string]any{
		"msg_type": "interactive",
		"card": map[string]any{
			"config":   map[string]any{"wide_screen_mode": true},
			"header":   map[string]any{"template": color, "title": map[string]string{"tag": "plain_text", "content": n.expandText(s.conf.Title)}},
			"elements": []any{map[string]string{"tag": "markdown", "content": cutBytes(n.expandText(s.conf.Text), maxFeishuText)}},
		},
	}
	if s.conf.Secret != "" {
		stamp := strconv.FormatInt(n.now.Unix(), 10)
		message["timestamp"], message["sign"] = stamp, feishuSignature(stamp, string(s.conf.Secret))
	}
	body, err := json.Marshal(message)
	return []request{{url: string(s.conf.URL), body: body}}, err
}

// feishuSignature is the HMAC-SHA256 of nothing under a key made of the time and the secret.
func feishuSignature(stamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(stamp+"\n"+secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *feishuService) judge(a *answer) *Failure {
	var said struct {
		Code       *int   `json:"code"`
		StatusCode *int   `json:"StatusCode"` // of robots of the first version
		Message    string `json:"msg"`
	}
	f := judgeStatus(a)
	code := (*int)(nil)
	if json.Unmarshal(a.body, &said) == nil {
		code = cmp.Or(said.Code, said.StatusCode)
	}
	switch {
	case code == nil && f != nil:
		return f
	case code == nil:
		return &Failure{Status: a.status, Reason: "what answered is not Feishu"}
	case *code == 0:
		return f
	}
	busy := slices.Contains([]int{9499, 11232}, *code) // asked too often: in all, or of this robot
	f = &Failure{Status: a.status, Reason: "Feishu refused the message with code " + strconv.Itoa(*code), Said: said.Message, Retry: busy || a.status/100 == 5}
	if busy {
		f.RetryAfter = time.Minute
	}
	return f
}
