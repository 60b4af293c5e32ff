package incidents

import (
	"math"
	"strings"
	"time"
)

// series is one series of a family.
type series struct {
	labels map[string]string
	who    string // what effects name it by: the workload, the node, or "" for the cluster's
	course course
}

// family lists the series of a family of metrics. Families stand for expressions: their values are those after rates and sums.
func (w *World) family(name string) []series {
	var list []series
	switch name {
	case "requests", "errors", "latency", "dbconns":
		for i := range w.Services {
			if s := &w.Services[i]; s.web || name == "dbconns" && s.Name == "postgres" {
				if name == "dbconns" && s.web {
					continue
				}
				list = append(list, w.of(name, map[string]string{"namespace": s.Namespace, "service": s.Name}, s.Name))
			}
		}
	case "cpu", "memlimit", "restarts", "unavailable", "logerrors", "writes":
		for i := range w.Services {
			s := &w.Services[i]
			list = append(list, w.of(name, map[string]string{"namespace": s.Namespace, "workload": s.Name}, s.Name))
		}
	case "podcpu", "podmemory", "podwrites":
		for i := range w.Services {
			s := &w.Services[i]
			for k, node := range s.Nodes {
				list = append(list, w.of(name, map[string]string{"namespace": s.Namespace, "pod": s.Pod(k), "node": node}, s.Name))
			}
		}
	case "nodecpu", "nodedisk", "nodeio", "targets":
		for _, node := range w.Nodes {
			list = append(list, w.of(name, map[string]string{"node": node}, node))
		}
	case "calls":
		for i := range w.Services {
			s := &w.Services[i]
			for _, server := range s.Calls {
				list = append(list, w.of(name, map[string]string{"client": s.Name, "server": server}, server))
			}
		}
	case "clients":
		for _, client := range []string{"kubelet", "kube-controller-manager", "argocd", "operator", "prometheus"} {
			list = append(list, w.of(name, map[string]string{"client": client}, client))
		}
	case "dnserrors", "apilatency", "rejected", "fsync", "readynodes", "activejobs":
		list = append(list, w.of(name, map[string]string{}, ""))
	case "quota":
		for _, namespace := range []string{"shop", "billing", "media"} {
			list = append(list, w.of(name, map[string]string{"namespace": namespace}, namespace))
		}
	}
	return list
}

func (w *World) of(name string, labels map[string]string, who string) series {
	labels["cluster"] = Cluster
	key := name + labels["namespace"] + labels["service"] + labels["workload"] + labels["pod"] + labels["node"] + labels["client"] + labels["server"]
	seed := mix(w.Seed, hashText(key))
	return series{labels: labels, who: who, course: w.usual(name, seed)}
}

// usual returns the usual course of a family's series, each a little different by its seed.
func (w *World) usual(name string, seed uint64) course {
	vary := func(salt uint64, low, high float64) float64 { return low + (high-low)*unit(seed, salt) }
	c := course{seed: seed, missing: 0.004, noise: vary(1, 0.04, 0.1), peak: vary(2, 11, 17)}
	traffic := func() {
		c.day, c.weekend = vary(3, 0.3, 0.6), vary(4, 0.1, 0.4)
		c.burst, c.burstSize = 0.004, 0.5
	}
	switch name {
	case "requests":
		traffic()
		c.base, c.counts, c.restartsADay = vary(5, 20, 400), 0.1, 0.5
	case "errors":
		c.base, c.noise, c.burst, c.burstSize = vary(5, 0.001, 0.006), 0.25, 0.01, 2
	case "latency", "calls":
		c.base, c.noise, c.day, c.burst, c.burstSize = vary(5, 0.03, 0.25), 0.08, 0.08, 0.01, 0.6
	case "cpu", "podcpu":
		traffic()
		c.base, c.nightJob, c.restartsADay = vary(5, 0.1, 1.5), 0.4*float64(seed%3/2), 0.3
		c.burst, c.burstSize = 0.01, 0.6
	case "podmemory":
		c.base, c.noise, c.day = vary(5, 150, 900)*1024*1024, 0.02, 0.04
	case "memlimit":
		c.base, c.noise, c.day = vary(5, 0.3, 0.6), 0.02, 0.05
	case "restarts", "unavailable": // now and then one, as after a deploy
		c.base, c.constant, c.blips = 0, true, 0.004
	case "logerrors":
		c.base, c.noise, c.counts, c.burst, c.burstSize = vary(5, 0.02, 0.3), 0.25, 0.05, 0.01, 2
	case "writes", "podwrites":
		traffic()
		c.base, c.burst = vary(5, 0.1, 3)*1e6, 0.02
	case "nodecpu":
		traffic()
		c.base, c.nightJob = vary(5, 0.25, 0.4), 0.2
	case "nodedisk":
		c.base, c.noise, c.growth = vary(5, 0.4, 0.62), 0.003, vary(6, 0.0005, 0.004)
	case "nodeio":
		traffic()
		c.base, c.nightJob = vary(5, 0.05, 0.2), 1
	case "targets":
		c.base, c.constant = 12, true
	case "clients":
		c.base, c.noise = vary(5, 5, 60), 0.08
	case "dnserrors":
		c.base, c.noise, c.burst, c.burstSize = vary(5, 0.05, 0.3), 0.3, 0.01, 1.5
	case "apilatency", "fsync":
		c.base, c.noise, c.day, c.burst, c.burstSize = vary(5, 0.004, 0.02), 0.08, 0.1, 0.01, 0.6
	case "rejected":
		c.base, c.constant, c.blips = 0, true, 0.01
	case "readynodes":
		c.base, c.constant = float64(len(w.Nodes)), true
	case "dbconns":
		traffic()
		c.base, c.noise = vary(5, 0.25, 0.4), 0.05
		c.day *= 0.5
	case "activejobs":
		c.base, c.noise, c.burst, c.burstSize, c.lowest = vary(5, 2, 5), 0.25, 0.02, 1, 0
	case "quota":
		c.base, c.noise = vary(5, 0.4, 0.6), 0.02
	}
	return c
}

// effect is what an incident does to the series of a family that a name stands for.
type effect struct {
	family, who string
	factor      float64 // the value is multiplied by it
	plus        float64 // added to it
	perHour     float64 // added for each hour that it lasts
	set         float64 // the value, when replaces
	replaces    bool
	silent      bool // there is no value
	after       time.Duration
	ramp        time.Duration // until it is there in full
	most        float64       // that the value can have; 0 is no bound
	node        string        // pods of this node alone
}

// apply returns the value with an incident's effects.
func (w *World) apply(family string, s *series, t time.Time, v float64) float64 {
	if w.Incident == nil || t.Before(w.Incident.Start) || t.After(w.Incident.End) {
		return v
	}
	for i := range w.Incident.effects {
		e := &w.Incident.effects[i]
		lasts := t.Sub(w.Incident.Start) - e.after
		if e.family != family || e.who != s.who && !strings.HasPrefix(e.who, "*") || lasts < 0 || e.node != "" && s.labels["node"] != e.node {
			continue
		}
		if e.silent {
			return math.NaN()
		}
		share := 1.0
		if e.ramp > 0 {
			share = min(1, lasts.Minutes()/e.ramp.Minutes())
		}
		if e.replaces {
			v += (e.set - v) * share
		}
		if e.factor != 0 {
			v *= 1 + (e.factor-1)*share
		}
		v += e.plus*share + e.perHour*lasts.Hours()
		if e.most > 0 {
			v = min(v, e.most)
		}
	}
	return v
}

// touched reports whether an incident has an effect on a series.
func (w *World) touched(family string, labels map[string]string) bool {
	for _, s := range w.family(family) {
		same := true
		for name, v := range s.labels {
			same = same && labels[name] == v
		}
		if !same {
			continue
		}
		for i := range w.Incident.effects {
			e := &w.Incident.effects[i]
			if e.family == family && (e.who == s.who || e.who == "*") {
				return true
			}
		}
	}
	return false
}
