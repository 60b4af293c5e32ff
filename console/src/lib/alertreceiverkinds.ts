/** The kinds of receivers with the fields that most need; docs/receivers.md has all, and the YAML editor takes them. */

export interface KindField {
  /** Where it stands in the integration, dotted. */
  readonly path: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly required?: boolean;
  /** Text unless given. Secrets are never shown again. */
  readonly type?: "text" | "secret" | "number" | "switch" | "area" | "list";
}

export interface Kind {
  /** The key in the configuration, such as slack_configs. */
  readonly key: string;
  readonly label: string;
  /** How the service is prepared. */
  readonly about: string;
  readonly fields: readonly KindField[];
}

const secret = (path: string, label: string, more: Partial<KindField> = {}): KindField => ({
  path,
  label,
  type: "secret",
  ...more,
});
const needed = { required: true } as const;
const robotTexts: readonly KindField[] = [
  { path: "title", label: "Title", hint: "A template; the usual title unless told." },
  { path: "text", label: "Text", type: "area", hint: "A template; the usual text unless told." },
];

export const kinds: readonly Kind[] = [
  {
    key: "webhook_configs",
    label: "Webhook",
    about: "Sends Alertmanager's message as JSON to an address of yours.",
    fields: [
      secret("url", "Address", { ...needed, placeholder: "https://hooks.example.com/alerts" }),
      secret("http_config.authorization.credentials", "Bearer token", {
        hint: "Sent in the header Authorization.",
      }),
      { path: "max_alerts", label: "At most so many alerts in a message", type: "number" },
    ],
  },
  {
    key: "email_configs",
    label: "E-mail",
    about: "Sends mail over SMTP, also over Amazon SES. Ports 587 and 465.",
    fields: [
      { path: "to", label: "To", ...needed, placeholder: "ops@example.com" },
      { path: "from", label: "From", ...needed, placeholder: "seamark@example.com" },
      { path: "smarthost", label: "Server", ...needed, placeholder: "smtp.example.com:587" },
      { path: "auth_username", label: "User" },
      secret("auth_password", "Password"),
    ],
  },
  {
    key: "slack_configs",
    label: "Slack",
    about: "An incoming webhook, or a bot's token with chat:write and a channel.",
    fields: [
      secret("api_url", "Webhook address", { placeholder: "https://hooks.slack.com/services/…" }),
      secret("app_token", "Bot token", { placeholder: "xoxb-…" }),
      { path: "channel", label: "Channel", placeholder: "#ops", hint: "Of a bot its id, such as C0123456." },
      { path: "title", label: "Title", hint: "A template; the usual title unless told." },
      { path: "text", label: "Text", type: "area", hint: "A template; the usual text unless told." },
    ],
  },
  {
    key: "pagerduty_configs",
    label: "PagerDuty",
    about: "Events API v2: the integration key of a service.",
    fields: [
      secret("routing_key", "Integration key", needed),
      {
        path: "severity",
        label: "Severity",
        placeholder: "error",
        hint: "critical, error, warning or info; may be a template.",
      },
      { path: "description", label: "Description", hint: "A template; the usual one unless told." },
    ],
  },
  {
    key: "opsgenie_configs",
    label: "Opsgenie",
    about: "The API key of an API integration.",
    fields: [
      secret("api_key", "API key", needed),
      { path: "api_url", label: "API address", placeholder: "https://api.eu.opsgenie.com/" },
      { path: "priority", label: "Priority", placeholder: "P3" },
      { path: "message", label: "Message", hint: "A template; the usual one unless told." },
    ],
  },
  {
    key: "msteamsv2_configs",
    label: "Microsoft Teams",
    about: "The address of a workflow that posts to a channel when a webhook comes.",
    fields: [secret("webhook_url", "Workflow address", needed), ...robotTexts],
  },
  {
    key: "telegram_configs",
    label: "Telegram",
    about: "A bot's token, and the chat that the bot is a member of.",
    fields: [
      secret("bot_token", "Bot token", needed),
      { path: "chat_id", label: "Chat", type: "number", ...needed, placeholder: "-1001234567890" },
      { path: "message_thread_id", label: "Topic", type: "number" },
      { path: "message", label: "Message", type: "area", hint: "A template; the usual one unless told." },
    ],
  },
  {
    key: "discord_configs",
    label: "Discord",
    about: "The address of a channel's webhook.",
    fields: [
      secret("webhook_url", "Webhook address", needed),
      { path: "title", label: "Title", hint: "A template; the usual title unless told." },
      { path: "message", label: "Message", type: "area", hint: "A template; the usual one unless told." },
    ],
  },
  {
    key: "victorops_configs",
    label: "VictorOps (Splunk On-Call)",
    about: "The API key of the REST endpoint, and a routing key.",
    fields: [
      secret("api_key", "API key", needed),
      { path: "routing_key", label: "Routing key", ...needed },
      { path: "message_type", label: "Message type", placeholder: "CRITICAL" },
    ],
  },
  {
    key: "pushover_configs",
    label: "Pushover",
    about: "The key of a person or group, and the token of an application.",
    fields: [
      secret("user_key", "User key", needed),
      secret("token", "Application token", needed),
      { path: "priority", label: "Priority", placeholder: "1" },
    ],
  },
  {
    key: "sns_configs",
    label: "SMS by Amazon SNS",
    about: "A phone number or a topic, with the keys of a user that may publish.",
    fields: [
      { path: "phone_number", label: "Phone number", placeholder: "+4912345678" },
      { path: "topic_arn", label: "Topic (ARN)", hint: "Instead of a phone number." },
      { path: "sigv4.region", label: "Region", ...needed, placeholder: "eu-central-1" },
      { path: "sigv4.access_key", label: "Access key", ...needed },
      secret("sigv4.secret_key", "Secret key", needed),
    ],
  },
  {
    key: "dingtalk_configs",
    label: "DingTalk",
    about: "The address of a group's robot, with its secret where it is protected by a signature.",
    fields: [
      secret("url", "Robot address", needed),
      secret("secret", "Secret", { placeholder: "SEC…" }),
      { path: "at_mobiles", label: "Mention", type: "list", hint: "Phone numbers, separated by commas." },
      ...robotTexts,
    ],
  },
  {
    key: "feishu_configs",
    label: "Feishu / Lark",
    about: "The address of a group's robot, with its secret where it is protected by a signature.",
    fields: [secret("url", "Robot address", needed), secret("secret", "Secret"), ...robotTexts],
  },
  {
    key: "wecom_configs",
    label: "WeCom",
    about: "The address of a group's robot.",
    fields: [
      secret("url", "Robot address", needed),
      { path: "message_type", label: "Message type", placeholder: "markdown", hint: "text, for mentions." },
      {
        path: "mentioned_mobiles",
        label: "Mention",
        type: "list",
        hint: "Phone numbers, separated by commas.",
      },
      ...robotTexts,
    ],
  },
];

/** What secrets are read as. */
export const masked = "<secret>";

export function kindOf(key: string): Kind | undefined {
  return kinds.find((kind) => kind.key === key);
}

/** labelOfIntegration names an integration such as slack[0] for people. */
export function labelOfIntegration(integration: string): string {
  const name = integration.replace(/\[\d+\]$/, "");
  return kindOf(`${name}_configs`)?.label ?? name;
}
