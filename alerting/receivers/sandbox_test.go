package receivers

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
)

func expansion(t *testing.T, texts map[string]string) *execution {
	t.Helper()
	data := &template.Data{
		Status: "firing", CommonLabels: template.KV{"a": "<b>"}, RouteLabels: template.KV{"team": "sre"},
		Alerts: template.Alerts{{Status: "firing", Labels: template.KV{"alertname": "X"}, Annotations: template.KV{}, StartsAt: testNow}},
	}
	return testTemplate(t, texts).execute(data)
}

func TestTemplatesAreStopped(t *testing.T) {
	double := `{{ $x := "0123456789" }}` + strings.Repeat(`{{ $x = printf "%s%s%s%s" $x $x $x $x }}`, 40)
	lists := `{{ $x := list "a" }}` + strings.Repeat(`{{ $x = list $x $x $x $x }}`, 40) + `{{ toJson $x }}`
	var tower strings.Builder
	for i := range 40 {
		fmt.Fprintf(&tower, `{{ define "t%d" }}{{ template "t%d" . }}{{ template "t%d" . }}{{ end }}`, i, i+1, i+1)
	}
	tower.WriteString(`{{ define "t40" }}{{ end }}`)
	tests := []struct {
		name, field string
		want        error
	}{
		{"loop that writes nothing", `{{ range 1000000000 }}{{ end }}`, errTemplateSteps},
		{"loops in loops", `{{ range 100000 }}{{ range 100000 }}{{ if false }}x{{ end }}{{ end }}{{ end }}`, errTemplateSteps},
		{"loop in a condition", `{{ if true }}{{ with 1 }}{{ range 1000000000 }}{{ end }}{{ end }}{{ end }}`, errTemplateSteps},
		{"loop in an else", `{{ range list }}{{ else }}{{ range 1000000000 }}{{ end }}{{ end }}`, errTemplateSteps},
		{"template in a field", `{{ define "x" }}{{ template "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`, errTemplateDefined},
		{"block in a field", `{{ block "x" . }}{{ end }}`, errTemplateDefined},
		{"templates that call templates twice", `{{ template "t0" . }}`, errTemplateSteps},
		{"output", `{{ range 100 }}{{ printf "%999s" "" }}{{ printf "%s%s" (printf "%999s" "") (printf "%999s" "") }}{{ range 100 }}` + strings.Repeat("x", 500) + `{{ end }}{{ end }}`, errTemplateOutput},
		{"doubled strings", double, errTemplateValue},
		{"doubled lists", lists, errTemplateValue},
		{"replaced", `{{ $x := printf "%999s" "" }}{{ $x = printf "%s%s%s%s%s%s%s%s" $x $x $x $x $x $x $x $x }}{{ reReplaceAll " " $x $x }}`, errTemplateValue},
		{"joined", `{{ $x := printf "%999s" "" }}{{ $x = printf "%s%s%s%s%s%s%s%s" $x $x $x $x $x $x $x $x }}{{ join $x (stringSlice ` + strings.Repeat(`"" `, 500) + `) }}`, errTemplateValue},
	}
	for _, tt := range tests {
		for form, expand := range map[string]func(*execution, string) string{"text": (*execution).expandText, "html": (*execution).expandHTML} {
			t.Run(tt.name+" "+form, func(t *testing.T) {
				e := expansion(t, map[string]string{"tower": tower.String()})
				begun := time.Now()
				if got := expand(e, tt.field); got != "" || !errors.Is(e.err, tt.want) && !errors.Is(e.err, errTemplateTime) { // a slow machine runs out of time first
					t.Errorf("made %d bytes, %v; want %v", len(got), e.err, tt.want)
				}
				if took := time.Since(begun); took > 10*maxTemplateTime { // it would take hours; a busy machine may halt after each look at the clock
					t.Errorf("it took %s", took)
				}
				if f := e.fault(); f == nil || f.Retry || !strings.Contains(f.Error(), tt.want.Error()) && !strings.Contains(f.Error(), errTemplateTime.Error()) {
					t.Errorf("the fault is %v", f)
				}
			})
		}
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	for name, field := range map[string]string{
		"wide printf": `{{ printf "%99999d" 1 }}`, "wide by argument": `{{ printf "%*d" 99999 1 }}`, "precise": `{{ printf "%.99999f" 1.0 }}`,
		"unknown function": `{{ env "HOME" }}`, "file": `{{ readFile "/etc/passwd" }}`, "no pattern": `{{ match "(" "x" }}`, "pattern that panics": `{{ reReplaceAll "(" "x" "y" }}`,
		"unknown template": `{{ template "nowhere" . }}`,
	} {
		e := expansion(t, nil)
		if got := e.expandText(field); got != "" || e.err == nil {
			t.Errorf("%s: made %q, %v", name, got, e.err)
		}
		if f := e.fault(); f == nil || f.Retry {
			t.Errorf("%s: the fault is %v, want a final one", name, f)
		}
	}
}

func TestTemplatesDoWhatAlertmanagersDo(t *testing.T) {
	fields := map[string]string{
		`plain`: "plain", `{{ .Status | toUpper }}`: "FIRING", `{{ .CommonLabels.a }}`: "<b>", `{{ join "," (stringSlice "a" "b") }}`: "a,b",
		`{{ reReplaceAll "a(.)" "$1$1" "ab" }}`: "bb", `{{ routeLabels "team" }}`: "sre", `{{ (index .Alerts 0).StartsAt.Year }}`: "2026",
		`{{ range .Alerts }}{{ .Labels.alertname }}{{ end }}`: "X", `{{ template "tenant" . }}`: "of firing",
		`{{ printf "%5.2f|%-3s" 1.5 "a" }}`: " 1.50|a  ", `{{ len .Alerts.Firing }}`: "1", `{{ .Missing }}`: "",
		`{{ toJson .CommonLabels }}`: `{"a":"\u003cb\u003e"}`, `{{ html "<" }}`: "&lt;", `{{ urlquery "a b" }}`: "a+b", `{{ title "abc" }}`: "Abc",
	}
	for field, want := range fields {
		e := expansion(t, map[string]string{"tenant": `{{ define "tenant" }}of {{ .Status }}{{ end }}`})
		if field == `{{ .Missing }}` {
			e.data.CommonLabels = nil
			field = `{{ .CommonLabels.missing }}`
		}
		if got := e.expandText(field); got != want || e.err != nil {
			t.Errorf("%s makes %q, %v; want %q", field, got, e.err, want)
		}
	}
	e := expansion(t, nil)
	if got := e.expandHTML(`<a href="{{ .ExternalURL }}">{{ .CommonLabels.a }}</a>`); got != `<a href="">&lt;b&gt;</a>` || e.err != nil {
		t.Errorf("HTML %q, %v", got, e.err)
	}
	if got := e.expandHTML(`{{ .CommonLabels.a }}{{ .CommonLabels.a | safeHtml }}`); got != `&lt;b&gt;<b>` || e.err != nil {
		t.Errorf("the second HTML field is %q, %v", got, e.err)
	}
}

func TestNotificationsLinkToTheirAlerts(t *testing.T) {
	one := template.Alert{Status: "firing", Labels: template.KV{"alertname": "X"}, Annotations: template.KV{}, Fingerprint: "00c0ffee00c0ffee"}
	other := template.Alert{Status: "resolved", Labels: template.KV{"alertname": "X"}, Annotations: template.KV{}, Fingerprint: "1"}
	group := template.KV{"cluster": "a&b", "alertname": "Disk full"}
	links := []string{"slack.default.titlelink", "pagerduty.default.clientURL", "pushover.default.url"}
	texts := []string{
		"slack.default.text", "discord.default.message", "msteams.default.text", "msteamsv2.default.text", "robot.default.text", "sns.default.message",
		"opsgenie.default.description", "victorops.default.state_message", "pushover.default.message", "pagerduty.default.instances", "email.default.text",
	}
	for want, alerts := range map[string]template.Alerts{
		"/alerts?alert=00c0ffee00c0ffee": {one}, "/alerts?q=alertname%3DDisk+full+cluster%3Da%26b": {one, other},
	} {
		for external, base := range map[string]string{"https://seamark.example": "https://seamark.example", "https://example.com/seamark/": "https://example.com/seamark"} {
			e := expansion(t, nil)
			e.data.ExternalURL, e.data.Alerts, e.data.GroupLabels = external, alerts, group
			for _, name := range links {
				if got := e.expandText(`{{ template "` + name + `" . }}`); got != base+want || e.err != nil {
					t.Errorf("%s makes %q, %v; want %q", name, got, e.err, base+want)
				}
			}
			for _, name := range texts {
				if got := strings.TrimRight(e.expandText(`{{ template "`+name+`" . }}`), ")\n"); !strings.HasSuffix(got, base+want) || e.err != nil {
					t.Errorf("%s makes %q, %v; want %q at its end", name, got, e.err, base+want)
				}
			}
			for name, quoted := range map[string]string{"email.default.html": `"` + base + want + `"`, "telegram.default.message": "\n" + base + want} {
				if got := html.UnescapeString(e.expandHTML(`{{ template "` + name + `" . }}`)); !strings.Contains(got, quoted) || e.err != nil {
					t.Errorf("%s makes %q, %v; want %s in it", name, got, e.err, quoted)
				}
			}
		}
	}
}

func TestLinkOfGroupWithoutLabels(t *testing.T) {
	e := expansion(t, nil)
	e.data.ExternalURL, e.data.Alerts = "https://seamark.example", append(e.data.Alerts, e.data.Alerts...)
	if got, want := e.expandText(`{{ template "slack.default.titlelink" . }}`), "https://seamark.example/alerts?q="; got != want || e.err != nil {
		t.Errorf("got %q, %v; want the whole list, %q", got, e.err, want)
	}
}

// TestLargeGroup tells of many alerts through every default template.
func TestLargeGroup(t *testing.T) {
	e := expansion(t, nil)
	for i := range 1000 {
		e.data.Alerts = append(e.data.Alerts, template.Alert{
			Status: "firing", Labels: template.KV{"alertname": "X", "pod": fmt.Sprint(i)}, Annotations: template.KV{"summary": "s"}, StartsAt: time.Now(),
		})
	}
	for _, name := range []string{
		"slack.default.text", "email.default.text", "telegram.default.message", "robot.default.text", "msteams.default.text", "sns.default.message",
		"opsgenie.default.description", "victorops.default.state_message", "pushover.default.message", "discord.default.message", "pagerduty.default.description",
	} {
		if got := e.expandText(`{{ template "` + name + `" . }}`); got == "" || e.err != nil || len(got) > 20<<10 {
			t.Fatalf("%s makes %d bytes, %v", name, len(got), e.err)
		}
	}
}

func TestTemplatesThatCallThemselvesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"itself": `{{ define "a" }}{{ if false }}{{ else }}{{ template "a" }}{{ end }}{{ end }}`,
		"others": `{{ define "a" }}{{ range . }}{{ template "b" }}{{ end }}{{ end }}{{ define "b" }}{{ with . }}{{ template "a" }}{{ end }}{{ end }}`,
		"ours":   `{{ define "__subject" }}{{ template "slack.default.title" . }}{{ end }}`,
	} {
		if _, err := ParseTemplate(&url.URL{}, true, []string{"x"}, map[string]string{"x": text}); err == nil || !strings.Contains(err.Error(), "calls itself") {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
}

func TestTenantsTemplatesReplaceOurs(t *testing.T) {
	tmpl, err := ParseTemplate(&url.URL{}, true, []string{"mine"}, map[string]string{"mine": `{{ define "slack.default.text" }}mine{{ end }}`})
	if err != nil {
		t.Fatal(err)
	}
	if got := tmpl.execute(&template.Data{}).expandText(`{{ template "slack.default.text" . }}`); got != "mine" {
		t.Errorf("got %q, want the tenant's", got)
	}
}

func FuzzSandbox(f *testing.F) {
	f.Add(`{{ range 1000000000 }}{{ end }}`)
	f.Add(`{{ $x := "ab" }}{{ $x = printf "%s%s" $x $x }}{{ toJson (list $x $x) }}`)
	f.Add(`{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`)
	tmpl, err := ParseTemplate(&url.URL{}, true, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, field string) {
		if len(field) > 32<<10 {
			return
		}
		data := &template.Data{Alerts: template.Alerts{{Labels: template.KV{"a": "b"}}}}
		begun := time.Now()
		for _, expand := range []func(*execution, string) string{(*execution).expandText, (*execution).expandHTML} {
			e := tmpl.execute(data)
			if got := expand(e, field); len(got) > maxTemplateOutput {
				t.Fatalf("made %d bytes", len(got))
			}
		}
		if took := time.Since(begun); took > 20*maxTemplateTime { // two of them, on a machine that may be busy
			t.Fatalf("took %s", took)
		}
	})
}
