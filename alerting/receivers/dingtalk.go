package receivers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dingtalkService posts to DingTalk's group robots.
type dingtalkService struct{ conf *DingTalkConfig }

// maxDingtalkText keeps a message within the 20,000 bytes that a robot takes.
const maxDingtalkText = 18000

// dingtalkPause is how long DingTalk closes a robot that sent too fast.
const dingtalkPause = 10 * time.Minute

func (s *dingtalkService) requests(n *note) ([]request, error) {
	c := s.conf
	text := cutBytes(n.expandText(c.Text), maxDingtalkText)
	for _, mobile := range c.AtMobiles { // only who is named in the text, too, is told
		text += " @" + mobile
	}
	body, err := json.Marshal(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"title": n.expandText(c.Title), "text": text},
		"at":       map[string]any{"atMobiles": c.AtMobiles, "isAtAll": c.AtAll},
	})
	return []request{{url: string(c.URL), body: body, sign: s.sign}}, err
}

// sign adds the time and its HMAC-SHA256 under the robot's secret to the address.
func (s *dingtalkService) sign(r *http.Request, _ []byte, now time.Time) error {
	if s.conf.Secret == "" {
		return nil
	}
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(s.conf.Secret))
	_, _ = mac.Write([]byte(stamp + "\n" + string(s.conf.Secret)))
	q := r.URL.Query()
	q.Set("timestamp", stamp)
	q.Set("sign", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	r.URL.RawQuery = q.Encode()
	return nil
}

func (s *dingtalkService) judge(a *answer) *Failure {
	const tooFast = 130101
	f, code := judgeErrcode(a, "DingTalk", -1, 410100, tooFast)
	if code == tooFast {
		f.RetryAfter = dingtalkPause
	}
	return f
}

// judgeErrcode is judgeStatus for services that answer {"errcode": 0, "errmsg": "ok"} under status 200; passing are the codes
// after which another attempt may succeed.
func judgeErrcode(a *answer, name string, passing ...int) (*Failure, int) {
	var said struct {
		Code    *int   `json:"errcode"`
		Message string `json:"errmsg"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil || said.Code == nil {
		if f := judgeStatus(a); f != nil {
			return f, 0
		}
		return &Failure{Status: a.status, Reason: "what answered is not " + name}, 0
	}
	if *said.Code == 0 {
		return judgeStatus(a), 0
	}
	return &Failure{
		Status: a.status, Reason: name + " refused the message with code " + strconv.Itoa(*said.Code), Said: strings.TrimSpace(said.Message),
		Retry: slices.Contains(passing, *said.Code),
	}, *said.Code
}
