package receivers

import (
	"errors"
	"fmt"

	amcommon "github.com/prometheus/alertmanager/config/common"
	commoncfg "github.com/prometheus/common/config"
)

// robot is what the group robots of DingTalk, Feishu and WeCom have in common: an address with its token in it, which the
// service gives when a robot is added to a group, and a message in the service's dialect of Markdown.
type robot struct {
	amcommon.NotifierConfig `yaml:",inline"`

	HTTPConfig *commoncfg.HTTPClientConfig `yaml:"http_config"`
	URL        commoncfg.Secret            `yaml:"url"`
	Title      string                      `yaml:"title"`
	Text       string                      `yaml:"text"`
}

// The templates of robots whose configuration says nothing else.
const (
	robotTitle = `{{ template "robot.default.title" . }}`
	robotText  = `{{ template "robot.default.text" . }}`
)

func defaultRobot() robot {
	return robot{NotifierConfig: amcommon.NotifierConfig{VSendResolved: true}, Title: robotTitle, Text: robotText}
}

func (r *robot) validate() error {
	if r.URL == "" {
		return errors.New("url must be set")
	}
	if _, err := amcommon.ParseURL(string(r.URL)); err != nil {
		return errors.New("url is not an absolute URL of http or https")
	}
	return nil
}

// DingTalkConfig is one of a receiver's dingtalk_configs.
type DingTalkConfig struct {
	robot `yaml:",inline"`

	// Secret signs the messages; "" for a robot that is protected by keywords or addresses.
	Secret    commoncfg.Secret `yaml:"secret"`
	AtMobiles []string         `yaml:"at_mobiles"`
	AtAll     bool             `yaml:"at_all"`
}

// FeishuConfig is one of a receiver's feishu_configs. Lark has the same robots at another address.
type FeishuConfig struct {
	robot `yaml:",inline"`

	// Secret signs the messages; "" for a robot that is protected by keywords or addresses.
	Secret commoncfg.Secret `yaml:"secret"`
}

// WeComConfig is one of a receiver's wecom_configs.
type WeComConfig struct {
	robot `yaml:",inline"`

	// MessageType is markdown or text; people can be mentioned in text alone.
	MessageType string   `yaml:"message_type"`
	Mobiles     []string `yaml:"mentioned_mobiles"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *DingTalkConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain DingTalkConfig
	*c = DingTalkConfig{robot: defaultRobot()}
	if err := unmarshal((*plain)(c)); err != nil {
		return err
	}
	return c.validate()
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *FeishuConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain FeishuConfig
	*c = FeishuConfig{robot: defaultRobot()}
	if err := unmarshal((*plain)(c)); err != nil {
		return err
	}
	return c.validate()
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *WeComConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain WeComConfig
	*c = WeComConfig{robot: defaultRobot(), MessageType: "markdown"}
	if err := unmarshal((*plain)(c)); err != nil {
		return err
	}
	if c.MessageType != "markdown" && c.MessageType != "text" {
		return fmt.Errorf("message_type %q is neither markdown nor text", c.MessageType)
	}
	if len(c.Mobiles) > 0 && c.MessageType != "text" {
		return errors.New("mentioned_mobiles needs the message_type text")
	}
	return c.validate()
}
