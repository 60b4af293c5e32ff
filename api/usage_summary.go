package api

import "time"

// UsageSummary is the month of a tenant, so far and as it is expected to end.
type UsageSummary struct {
	Start   time.Time      `json:"start"`
	End     time.Time      `json:"end"`
	Method  string         `json:"method"` // of the forecast, in a sentence
	Signals []UsageMonth   `json:"signals"`
	Plan    string         `json:"plan"` // name, "" for none
	Limits  []UsageLimit   `json:"limits"`
	Budgets []BudgetStatus `json:"budgets"`
}

// UsageMonth is the month of one signal, or with Signal "" of all together.
type UsageMonth struct {
	Signal string        `json:"signal"`
	Rows   UsageForecast `json:"rows"`
	Bytes  UsageForecast `json:"bytes"`
}

// UsageForecast is what a month has come to, what it is expected to end with, and the band that it ends in nine times out of ten.
type UsageForecast struct {
	Sum      float64 `json:"sum"`
	Expected float64 `json:"expected"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Days     int     `json:"days"` // whole days that it was made from; 0 goes on as today began
}

// UsageLimit is a limit of the tenant's quota, what is used of it, and when it is reached if things go on as they do.
type UsageLimit struct {
	Name      string     `json:"name"` // of the quota's field
	Limit     int64      `json:"limit"`
	Origin    string     `json:"origin"` // tenant, plan or default
	Used      float64    `json:"used"`
	ReachedAt *time.Time `json:"reached_at"` // null when it is not in sight
}

// BudgetStatus is how the month stands against one measure of a budget.
type BudgetStatus struct {
	Signal    string        `json:"signal"`
	Measure   string        `json:"measure"` // rows or bytes
	Limit     int64         `json:"limit"`
	Forecast  UsageForecast `json:"forecast"`
	Reached   []int64       `json:"reached"` // thresholds in percent, of 50, 80 and 100
	Exceeds   bool          `json:"exceeds"` // the forecast is above the limit, which is not reached
	ReachedAt *time.Time    `json:"reached_at"`
}
