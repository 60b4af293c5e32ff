// Package datadog turns the bodies of Datadog's intake API (already inflated) into a seamark.Batch and builds the API's
// own answers; it does nothing else. Package ingest imports it.
//
// # Metrics
//
// Names and tag keys take Prometheus' form: what is not a letter, a digit or an underscore becomes an underscore. A tag
// without a value becomes a label with the value "true"; values of a key that stands more than once are sorted and joined
// with ";". The resources of a series (host, device) are labels and win over tags of the same name. The agent's tags for
// places in Kubernetes get the names that all protocols share (kube_namespace becomes namespace, pod_name becomes pod),
// unless the series has a tag of that name already.
//
// Values are stored as they came. A gauge is a gauge. A rate is per second already: never apply rate() to it. A count is
// the increase within its interval, not a running total: sum_over_time(x[5m]) is the increase in five minutes, and
// sum_over_time(x[5m]) / 300 the rate; rate(x[5m]) would be wrong. Turning counts into a running total would need a state
// per series that survives restarts and moves between replicas, and turning them into rates would lose the interval.
//
// # Distributions
//
// A sketch becomes a native histogram sample of schema 6 with the hint "gauge", and two gauges, <name>_min and
// <name>_max, for the extremes that a histogram does not keep. The agent's bins have the fixed base 1 + 2/128, which is no
// power of two's root, so the bounds of a native histogram cannot be the same. But the buckets of schema 6 (base 2^(1/64),
// 1.0109) are narrower than the bins (1.0156), so no two bins share a bucket: counts and sum are exact, merging histograms
// is merging sketches, and a quantile is off by at most 1.9 %, of which the sketch itself brings 0.8 %. Series of fixed
// quantiles could not be aggregated over tags or time, which is what distributions are for. A sample holds one flush of
// the agent, so the quantile of five minutes is histogram_quantile(0.99, sum(sum_over_time(x[5m]))).
//
// # The rest
//
// Service checks become the gauge datadog_service_check (0 ok, 1 warning, 2 critical, 3 unknown); their message is not
// kept. Events of the intake and logs become log lines.
package datadog
