package incidents

import (
	"fmt"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// pattern is a template with how many lines it has.
type pattern struct {
	text, level, group string
	perMinute          float64
	from, until        time.Time // zero: always
}

// usualPatterns are the lines that services write on any day.
func (w *World) usualPatterns() []pattern {
	var list []pattern
	for i := range w.Services {
		s := &w.Services[i]
		group, seed := s.Namespace+"/"+s.Name, mix(w.Seed, hashText("log"+s.Name))
		for k, text := range []string{"served GET <*> in <*> ms by " + s.Name, s.Name + " refreshed cache of <*> entries", "slow request <*> took <*> in " + s.Name, s.Name + " failed to reach <*>, retrying"} {
			level := [...]string{"info", "info", "warn", "error"}[k]
			list = append(list, pattern{text: text, level: level, group: group, perMinute: [...]float64{60, 4, 0.8, 0.15}[k] * (0.5 + unit(seed, uint64(k)))})
		}
	}
	return list
}

// lines counts the lines of a pattern in a range: numbers as of chance, and more by day.
func (p *pattern) lines(seed uint64, r seamark.TimeRange) uint64 {
	start, end := r.Start, r.End
	if !p.from.IsZero() {
		if p.from.After(start) {
			start = p.from
		}
		if p.until.Before(end) {
			end = p.until
		}
	}
	n := 0.0
	key := mix(seed, hashText(p.text+p.group))
	for t := start.Truncate(10 * time.Minute); t.Before(end); t = t.Add(10 * time.Minute) {
		from, to := t, t.Add(10*time.Minute)
		if from.Before(start) {
			from = start
		}
		if to.After(end) {
			to = end
		}
		hour := float64(t.Hour())
		mean := p.perMinute * to.Sub(from).Minutes() * (1 + 0.5*math.Cos((hour-14)*math.Pi/12))
		slot := uint64(t.Unix() / 600)
		if unit(key^5, slot) < 0.003 { // a burst
			mean *= 2
		}
		n += math.Max(0, math.Round(mean+math.Sqrt(mean)*normal(key, slot)))
	}
	return uint64(n)
}

// decoyWrites are what people and controllers change on any day: deploys that break nothing, configuration of others.
func (w *World) decoyWrites(r seamark.TimeRange) []suspects.Write {
	var list []suspects.Write
	for t := r.Start.Truncate(time.Minute); t.Before(r.End); t = t.Add(time.Minute) {
		minute := uint64(t.Unix() / 60)
		add := func(salt uint64, chance float64, fill func(n uint64) suspects.Write) {
			if unit(w.Seed^salt, minute) >= chance {
				return
			}
			one := fill(mix(w.Seed^salt<<3, minute))
			one.Time, one.Cluster = t.Add(time.Duration(mix(salt, minute)%60)*time.Second), Cluster
			list = append(list, one)
		}
		working := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && t.Hour() >= 8 && t.Hour() < 18
		chance := 1.0 / 120
		if working {
			chance = 1.0 / 45
		}
		add(101, chance, func(n uint64) suspects.Write { // a deploy
			s := &w.Services[n%uint64(len(w.Services))]
			return suspects.Write{Namespace: s.Namespace, Resource: "deployments", Name: s.Name, Verb: "patch", User: "ben@example.com", UserAgent: "kubectl/v1.34"}
		})
		add(102, chance, func(n uint64) suspects.Write {
			s := &w.Services[n%uint64(len(w.Services))]
			return suspects.Write{Namespace: s.Namespace, Resource: "configmaps", Name: s.Name + "-features", Verb: "update", User: "anna@example.com", UserAgent: "argocd"}
		})
		add(103, 0.5, func(uint64) suspects.Write { // a lock that is renewed
			return suspects.Write{Namespace: "kube-system", Resource: "configmaps", Name: "ingress-leader", Verb: "update", User: "system:serviceaccount:ingress-nginx:controller", UserAgent: "nginx-ingress-controller"}
		})
		add(104, 0.1, func(n uint64) suspects.Write { // what the autoscaler does
			s := &w.Services[n%uint64(len(w.Services))]
			return suspects.Write{Namespace: s.Namespace, Resource: "deployments", Subresource: "scale", Name: s.Name, Verb: "update", User: "system:serviceaccount:kube-system:horizontal-pod-autoscaler", UserAgent: "kube-controller-manager"}
		})
		if t.Minute()%10 == 0 { // cron jobs
			list = append(list, suspects.Write{
				Time: t, Cluster: Cluster, Namespace: "media", Resource: "jobs", Name: fmt.Sprintf("thumbnails-%d", t.Unix()/60), Verb: "create",
				User: "system:serviceaccount:kube-system:cronjob-controller", UserAgent: "kube-controller-manager",
			})
		}
	}
	return list
}

// decoyEvents are what Kubernetes tells on any day.
func (w *World) decoyEvents(r seamark.TimeRange) []seamark.Event {
	var list []seamark.Event
	add := func(t time.Time, kind, typ, reason, namespace, object, node string) {
		list = append(list, seamark.Event{
			Cluster: Cluster, Namespace: namespace, Kind: kind, Object: object, Type: typ, Reason: reason, Message: reason + " of " + object, Count: 1,
			First: t, Last: t, Node: node, UID: fmt.Sprint(reason, object, t.UnixNano()),
		})
	}
	for t := r.Start.Truncate(time.Minute); t.Before(r.End); t = t.Add(time.Minute) {
		minute := uint64(t.Unix() / 60)
		s := &w.Services[mix(w.Seed^201, minute)%uint64(len(w.Services))]
		if unit(w.Seed^202, minute) < 0.1 {
			add(t, "Pod", "Warning", "Unhealthy", s.Namespace, s.Pod(0), s.Nodes[0])
		}
		if unit(w.Seed^203, minute) < 0.02 {
			add(t, "Pod", "Warning", "BackOff", s.Namespace, s.Pod(1), s.Nodes[1])
		}
		if unit(w.Seed^204, minute) < 0.02 {
			add(t, "Pod", "Warning", "FailedScheduling", s.Namespace, s.Pod(0), "")
		}
		if t.Minute()%10 == 0 {
			job := fmt.Sprintf("thumbnails-%d", t.Unix()/60)
			add(t, "CronJob", "Normal", "SuccessfulCreate", "media", "thumbnails", "")
			add(t.Add(time.Second), "Pod", "Normal", "Started", "media", job+"-abcde", "node-1")
			add(t.Add(40*time.Second), "Job", "Normal", "Completed", "media", job, "")
		}
	}
	for _, write := range w.decoyWrites(r) { // each deploy is told by events, too
		if write.Resource == "deployments" {
			s := w.service(write.Name)
			add(write.Time.Add(2*time.Second), "Deployment", "Normal", "ScalingReplicaSet", s.Namespace, s.Name, "")
			add(write.Time.Add(9*time.Second), "Pod", "Normal", "Started", s.Namespace, s.Pod(0), s.Nodes[0])
			add(write.Time.Add(10*time.Second), "Pod", "Normal", "Killing", s.Namespace, s.Pod(1), s.Nodes[1])
		}
	}
	return list
}
