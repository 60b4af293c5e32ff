package incidents_test

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/bench/incidents"
)

// set is what is scored: worlds, kinds of incidents in each, and days without one.
type set struct {
	seeds     []uint64
	kinds     []int
	cleanDays int
}

// run scores a set.
func run(t testing.TB, of set) *incidents.Score {
	t.Helper()
	score := &incidents.Score{}
	for _, seed := range of.seeds {
		for _, kind := range of.kinds {
			o, err := incidents.RunIncident(t.Context(), seed, kind)
			if err != nil {
				t.Fatal(err)
			}
			score.Outcomes = append(score.Outcomes, o)
		}
		if of.cleanDays > 0 {
			alarms, err := incidents.RunClean(t.Context(), seed, of.cleanDays)
			if err != nil {
				t.Fatal(err)
			}
			score.FalseAlarms, score.CleanDays = append(score.FalseAlarms, alarms...), score.CleanDays+float64(of.cleanDays)
		}
	}
	return score
}

// every returns the numbers of the kinds, each so many-th of them.
func every(n int) []int {
	var list []int
	for i := 0; i < len(incidents.Kinds()); i += n {
		list = append(list, i)
	}
	return list
}

func caught(o *incidents.Outcome) bool { return o.Caught }

func named(o *incidents.Outcome) bool { return o.Named }

// TestEvaluation scores a part of the evaluation: every other kind in its first world, and a day without an incident. The shares are
// those of the whole: 18 of 20 incidents caught, the cause of 16 among the first three suspects, less than one false alarm a day.
func TestEvaluation(t *testing.T) {
	score := run(t, set{seeds: incidents.EvaluationSeeds()[:1], kinds: every(2), cleanDays: 1})
	if n, _ := score.PerSeed(caught); n < 9 {
		t.Errorf("%g of 10 incidents were caught, want 9 or more", n)
	}
	if n, _ := score.PerSeed(named); n < 8 {
		t.Errorf("the cause of %g of 10 incidents is among the first three suspects, want 8 or more", n)
	}
	if n := score.FalseAlarmsPerDay(); n >= 1 {
		t.Errorf("%g false alarms on a clean day, want less than one", n)
	}
	if t.Failed() {
		report(t, score)
	}
}

// TestSeedsAreApart keeps what detectors were developed with from what they are judged by.
func TestSeedsAreApart(t *testing.T) {
	for _, seed := range incidents.EvaluationSeeds() {
		for _, known := range incidents.DevelopmentSeeds() {
			if seed == known {
				t.Errorf("seed %d is in both sets", seed)
			}
		}
	}
	if n := len(incidents.Kinds()); n != 20 {
		t.Errorf("there are %d kinds of incidents, want 20", n)
	}
}

// BenchmarkIncidents scores both sets of seeds as a whole, all kinds in five worlds each with two clean days, and fails where the
// evaluation is below what is asked for. docs/detectors.md has what it printed.
func BenchmarkIncidents(b *testing.B) {
	for _, of := range []struct {
		name  string
		seeds []uint64
	}{{"development", incidents.DevelopmentSeeds()}, {"evaluation", incidents.EvaluationSeeds()}} {
		b.Run(of.name, func(b *testing.B) {
			for b.Loop() {
				score := run(b, set{seeds: of.seeds, kinds: every(1), cleanDays: 2})
				least, mean := score.PerSeed(caught)
				leastNamed, meanNamed := score.PerSeed(named)
				b.ReportMetric(least, "caught-least")
				b.ReportMetric(mean, "caught-mean")
				b.ReportMetric(leastNamed, "named-least")
				b.ReportMetric(meanNamed, "named-mean")
				b.ReportMetric(score.FalseAlarmsPerDay(), "false-alarms/day")
				report(b, score)
				if mean < 18 || meanNamed < 16 || score.FalseAlarmsPerDay() >= 1 {
					b.Errorf("caught %g, named %g of 20, %g false alarms a day; want 18, 16 and less than 1", mean, meanNamed, score.FalseAlarmsPerDay())
				}
			}
		})
	}
}

// report prints each outcome that is not as wanted.
func report(t testing.TB, score *incidents.Score) {
	t.Helper()
	for i := range score.Outcomes {
		o := &score.Outcomes[i]
		if o.Caught && o.Named {
			continue
		}
		t.Logf("seed %d, %s: caught %v after %s by %s (another kind: %v), cause named %v. %s", o.Seed, o.Kind, o.Caught, o.Delay, o.First.Detector, o.Other, o.Named, o.First.Explanation)
		for k, s := range o.Suspects {
			const shown = 4
			if k < shown {
				t.Logf("    %.2f %s %s %s (%s): %s", s.Score, s.Kind, s.Namespace, s.Object, s.Relation, s.Summary)
			}
		}
	}
	for _, a := range score.FalseAlarms {
		t.Logf("false alarm at %s: %s", a.Start, a.Explanation)
	}
}
