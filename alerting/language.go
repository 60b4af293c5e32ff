package alerting

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The languages of rule groups. All expressions of a group are in one.
const (
	PromQL = "promql"
	LogQL  = "logql" // metric queries over log streams, those of events and of the audit log among them
)

// checkLanguage refuses what is no language, and LogQL where nobody evaluates it.
func (s *Service) checkLanguage(language string) error {
	switch {
	case language == PromQL:
		return nil
	case language != LogQL:
		return seamark.Errorf(seamark.Invalid, "seamark-rule-language", "The language is %q; use promql or logql.", language)
	case s.opts.QueryLogs == nil || s.opts.CheckLogs == nil:
		return seamark.Errorf(seamark.Unsupported, "seamark-rule-language", "This server evaluates no rules over logs.")
	}
	return nil
}

// newParser returns the PromQL parser of rules: the dialect that queries have, too.
func newParser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
}

// logMark stands before the expressions of LogQL groups on their way through the rules manager, which asks its loader to parse an
// expression without telling the group. No expression begins with it.
const logMark = "\x00logql\x00"

// groupLoader hands the rules manager the groups of one tenant; a namespace takes the place of a file. It implements
// rules.GroupLoader.
type groupLoader struct {
	parser parser.Parser
	// salt makes the files' names differ between tenants: groups' turns within their interval follow from their names, and those of
	// a pack would all be at once.
	salt string

	mu    sync.RWMutex // guards files
	files map[string][]RuleGroup
}

// replace puts groups in place, before an Update of the manager, and returns the names of their files.
func (l *groupLoader) replace(groups []RuleGroup) []string {
	files := map[string][]RuleGroup{}
	for i := range groups {
		file := l.file(&groups[i])
		files[file] = append(files[file], groups[i])
	}
	l.mu.Lock()
	l.files = files
	l.mu.Unlock()
	return slices.Sorted(maps.Keys(files))
}

// saltMark stands between a namespace and the salt in the name of a group's file. No namespace has it.
const saltMark = "\x00"

const (
	// turn is the time between the moments at which a tenant's groups are evaluated, turnWidth how long such a moment is.
	turn      = 15 * time.Second
	turnWidth = time.Second
)

// file returns the name of the file that a group stands in. The rules manager takes a group's place in its interval from the hash of
// its file and name, and spreads a tenant's groups evenly. Here they have it within one second of every fifteen, another one for each
// tenant: what many groups read is brought up to date once for all of them, and what they record is stored together. With both done
// for each group by itself, some thousand groups keep the store busy.
func (l *groupLoader) file(g *RuleGroup) string {
	first := labels.FromStrings("salt", l.salt).Hash() % uint64(turn)
	for try := 0; ; try++ {
		file := g.Namespace + saltMark + l.salt + saltMark + strconv.Itoa(try)
		place := labels.FromStrings("name", g.Group.Name, "file", file).Hash() // as the manager's
		if (place%uint64(turn)+uint64(turn)-first)%uint64(turn) < uint64(turnWidth) {
			return file
		}
	}
}

// NamespaceOf returns the namespace of a running group.
func NamespaceOf(g *rules.Group) string { return namespaceOf(g.File()) }

func namespaceOf(file string) string {
	namespace, _, _ := strings.Cut(file, saltMark)
	return namespace
}

// Load implements rules.GroupLoader.
func (l *groupLoader) Load(file string, _ bool, _ model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := &rulefmt.RuleGroups{}
	for _, g := range l.files[file] {
		group := g.Group
		if g.Language == LogQL {
			group.Rules = slices.Clone(group.Rules)
			for i := range group.Rules {
				group.Rules[i].Expr = logMark + group.Rules[i].Expr
			}
		}
		list.Groups = append(list.Groups, group)
	}
	return list, nil
}

// Parse implements rules.GroupLoader.
func (l *groupLoader) Parse(query string) (parser.Expr, error) {
	if text, logs := strings.CutPrefix(query, logMark); logs {
		return logExpr(text), nil
	}
	return l.parser.ParseExpr(query)
}

// language returns the language of the group that ctx evaluates.
func (l *groupLoader) language(ctx context.Context) string {
	file, name := originOf(ctx)
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, g := range l.files[file] {
		if g.Group.Name == name {
			return g.Language
		}
	}
	return PromQL
}

// originOf returns the file and the name of the group that ctx evaluates, as the rules manager tells it.
func originOf(ctx context.Context) (file, group string) {
	origin, _ := ctx.Value(promql.QueryOrigin{}).(map[string]any)
	names, _ := origin["ruleGroup"].(map[string]string)
	return names["file"], names["name"]
}

// queryFunc evaluates a tenant's expressions, each in its group's language.
func (t *tenant) queryFunc() rules.QueryFunc {
	metrics := t.recent.queryFunc(t.service.opts.Query(t.id))
	if t.service.opts.QueryLogs == nil {
		return metrics
	}
	logs := t.service.opts.QueryLogs(t.id)
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if t.loader.language(ctx) == LogQL {
			return logs(ctx, expr, at)
		}
		return metrics(ctx, expr, at)
	}
}

// logExpr is a LogQL expression where the rules manager holds expressions. It only carries the text; nothing walks into it, see
// noDependencies. It implements parser.Expr.
type logExpr string

// String implements parser.Node.
func (e logExpr) String() string { return string(e) }

// Pretty implements parser.Node.
func (e logExpr) Pretty(int) string { return string(e) }

// PositionRange implements parser.Node.
func (e logExpr) PositionRange() posrange.PositionRange {
	return posrange.PositionRange{End: posrange.Pos(len(e))}
}

// Type implements parser.Expr.
func (logExpr) Type() parser.ValueType { return parser.ValueTypeVector }

// PromQLExpr implements parser.Expr.
func (logExpr) PromQLExpr() {}

// noDependencies keeps the rules manager from looking into expressions, which it would do to evaluate rules of a group at once.
// They are evaluated one after the other. It implements rules.RuleDependencyController.
type noDependencies struct{}

// AnalyseRules implements rules.RuleDependencyController.
func (noDependencies) AnalyseRules([]rules.Rule) {}
