package metering

import (
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// thresholds are the shares of a budget, in percent, at which its owner is told, with the severity of the alert.
var thresholds = []struct {
	percent  int64
	severity string
}{{50, "info"}, {80, "warning"}, {100, "critical"}}

// BudgetState is how a month stands against one measure of a budget.
type BudgetState struct {
	Signal    string // "" for all together
	Measure   string // rows or bytes
	Limit     int64
	Forecast  Forecast
	Reached   []int64    // of the thresholds, in percent
	Exceeds   bool       // the forecast is above the limit, which is not reached
	ReachedAt *time.Time // when the limit was or will be reached in this month; nil when it will not
}

// Alert is what a tenant is told of a budget.
type Alert struct {
	Labels, Annotations map[string]string
}

// BudgetAlert is the name of the alerts.
const BudgetAlert = "SeamarkBudget"

// minForecastDays is how many whole days a forecast needs before it alerts anybody.
const minForecastDays = 3

// stateOf compares one measure with its limit.
func stateOf(signal, measure string, limit int64, f Forecast, now time.Time) BudgetState {
	s := BudgetState{Signal: signal, Measure: measure, Limit: limit, Forecast: f}
	for _, t := range thresholds {
		if f.Sum*100 >= float64(limit)*float64(t.percent) {
			s.Reached = append(s.Reached, t.percent)
		}
	}
	s.Exceeds = f.Sum < float64(limit) && f.Expected > float64(limit)
	if at, ok := ReachedAt(f, float64(limit), now); ok {
		s.ReachedAt = &at
	}
	return s
}

// BudgetStates compares a summary with a tenant's budgets.
func BudgetStates(budgets []seamark.Budget, s *Summary, now time.Time) []BudgetState {
	var list []BudgetState
	for _, b := range budgets {
		use := s.Signals[b.Signal]
		if b.Rows > 0 {
			list = append(list, stateOf(b.Signal, "rows", b.Rows, use.Rows, now))
		}
		if b.Bytes > 0 {
			list = append(list, stateOf(b.Signal, "bytes", b.Bytes, use.Bytes, now))
		}
	}
	return list
}

// Alerts returns what the tenant is to be told while the state lasts: one alert per threshold that is reached, and one for a forecast
// above the limit.
func (s *BudgetState) Alerts(now time.Time) []Alert {
	month, signal := now.UTC().Format("2006-01"), s.Signal
	if signal == "" {
		signal = "all"
	}
	alert := func(threshold, severity, summary string) Alert {
		return Alert{
			Labels: map[string]string{
				"alertname": BudgetAlert, "severity": severity, "threshold": threshold, "signal": signal, "measure": s.Measure, "month": month,
			},
			Annotations: map[string]string{
				"summary": summary,
				"description": fmt.Sprintf("%.0f of %d %s were used in %s; %.0f are expected at its end (%.0f to %.0f).",
					s.Forecast.Sum, s.Limit, s.Measure, month, s.Forecast.Expected, s.Forecast.Low, s.Forecast.High),
			},
		}
	}
	var list []Alert
	for _, t := range thresholds {
		if len(s.Reached) > len(list) {
			list = append(list, alert(fmt.Sprintf("%d%%", t.percent), t.severity,
				fmt.Sprintf("The month has used %d %% of the budget of %d %s for %s.", t.percent, s.Limit, s.Measure, signal)))
		}
	}
	if s.Exceeds && s.Forecast.Days >= minForecastDays {
		list = append(list, alert("forecast", "warning",
			fmt.Sprintf("The month is expected to exceed the budget of %d %s for %s.", s.Limit, s.Measure, signal)))
	}
	return list
}
