package democluster

import (
	"fmt"
	"time"
)

// systemLog is a component that writes lines by itself.
type systemLog struct {
	workload string
	rate     float64 // lines per second and pod
	out      output
	line     func(w *world, p *pod, at time.Time) string
}

func systemLogs() []systemLog {
	return []systemLog{
		{"kube-apiserver", 2, stderr, apiserverLine},
		{"etcd", 1, stderr, etcdLine},
		{"kube-controller-manager", 0.6, stderr, controllerLine},
		{"kube-scheduler", 0.2, stderr, schedulerLine},
		{"kube-proxy", 0.1, stderr, proxyLine},
		{"coredns", 1, stdout, dnsLine},
		{"prometheus", 0.3, stderr, prometheusLine},
		{"cart-redis", 0.3, stdout, redisLine},
		{"postgres", 1.2, stderr, postgresLine},
	}
}

// logTick has the components write their lines of one tick.
func (w *world) logTick() {
	for _, s := range w.system {
		for _, p := range w.find(s.workload).pods {
			for range w.poisson(s.rate * w.volume()) {
				at := w.moment()
				w.line(p, s.out, at, s.line(w, p, at))
			}
		}
	}
}

// klog is the header and text of a line by k8s.io/klog.
func klog(at time.Time, severity byte, thread int, source, text string) string {
	return fmt.Sprintf("%c%s %7d %s] %s", severity, at.UTC().Format("0102 15:04:05.000000"), thread, source, text)
}

func apiserverLine(w *world, _ *pod, at time.Time) string {
	c := pickOne(w.rand, apiCalls())
	switch w.rand.IntN(40) {
	case 0:
		return klog(at, 'I', 1, "trace.go:236", fmt.Sprintf(`Trace[%d]: "List" accept:application/vnd.kubernetes.protobuf,user-agent:kube-state-metrics/v2.17.0,verb:LIST (total time: %dms)`, w.rand.IntN(1<<30), 500+w.rand.IntN(900)))
	case 1:
		return klog(at, 'W', 1, "logging.go:55", `[core] [Channel #62 SubChannel #63]grpc: addrConn.createTransport failed to connect to {Addr: "127.0.0.1:2379"}. Err: connection error: desc = "transport: Error while dialing: operation was canceled"`)
	case 2:
		return klog(at, 'I', 1, "alloc.go:330", `"allocated clusterIPs" service="shop/catalog" clusterIPs={"IPv4":"10.96.41.17"}`)
	}
	path := "/api/v1/"
	if c.group != "" {
		path = "/apis/" + c.group + "/" + c.version + "/"
	}
	return klog(at, 'I', 1, "httplog.go:134", fmt.Sprintf(`"HTTP" verb=%q URI=%q latency="%.3fms" userAgent=%q audit-ID=%q srcIP=%q resp=%s`,
		c.verb, path+c.resource, w.latency(min(c.median, 50*time.Millisecond)).Seconds()*1000,
		pickOne(w.rand, []string{"kubelet/v1.33.4 (linux/amd64) kubernetes/1ea2e8b", "kube-controller-manager/v1.33.4", "kube-scheduler/v1.33.4", "coredns/v1.12.1"}),
		newUID(w.rand), fmt.Sprintf("%s:%d", pickOne(w.rand, w.nodes).ip, 30000+w.rand.IntN(30000)), c.code))
}

func etcdLine(w *world, _ *pod, at time.Time) string {
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000Z")
	switch w.rand.IntN(12) {
	case 0:
		return fmt.Sprintf(`{"level":"warn","ts":%q,"caller":"txn/util.go:93","msg":"apply request took too long","took":"%d.%06dms","expected-duration":"100ms","prefix":"read-only range ","request":"key:\"/registry/health\" ","response":"range_response_count:0 size:7"}`, stamp, 101+w.rand.IntN(80), w.rand.IntN(1_000_000))
	case 1, 2, 3:
		return fmt.Sprintf(`{"level":"info","ts":%q,"caller":"mvcc/kvstore_compaction.go:72","msg":"finished scheduled compaction","compact-revision":%d,"took":"%d.%06dms","hash":%d}`, stamp, 400_000+w.rand.IntN(9000), 2+w.rand.IntN(9), w.rand.IntN(1_000_000), w.rand.Uint32())
	}
	return fmt.Sprintf(`{"level":"debug","ts":%q,"caller":"v3rpc/interceptor.go:181","msg":"request stats","start time":%q,"time spent":"%dµs","remote":"127.0.0.1:%d","response type":"/etcdserverpb.KV/%s","response count":%d}`,
		stamp, stamp, 200+w.rand.IntN(3000), 40_000+w.rand.IntN(9000), pickOne(w.rand, []string{"Range", "Txn"}), w.rand.IntN(4))
}

func controllerLine(w *world, _ *pod, at time.Time) string {
	l := pickOne(w.rand, []*workload{w.find("frontend"), w.find("cart"), w.find("payments-api"), w.find("catalog")})
	if w.rand.IntN(30) == 0 {
		return klog(at, 'E', 1, "replica_set.go:572", fmt.Sprintf(`"Unhandled Error" err="sync %q failed with Operation cannot be fulfilled on replicasets.apps %q: the object has been modified" logger="UnhandledError"`, l.namespace+"/"+l.name+"-"+l.hash, l.name+"-"+l.hash))
	}
	return klog(at, 'I', 1, "replica_set.go:679", fmt.Sprintf(`"Finished syncing" logger="replicaset-controller" kind="ReplicaSet" key=%q duration="%d.%03dµs"`, l.namespace+"/"+l.name+"-"+l.hash, 20+w.rand.IntN(900), w.rand.IntN(1000)))
}

func schedulerLine(w *world, _ *pod, at time.Time) string {
	if pods := w.find("recommender").pods; w.rand.IntN(3) == 0 && len(pods) > 0 {
		return klog(at, 'I', 1, "schedule_one.go:1047", fmt.Sprintf(`"Unable to schedule pod; no fit; waiting" pod=%q err="0/4 nodes are available: 3 Insufficient memory."`, "shop/"+pods[0].name))
	}
	return klog(at, 'I', 1, "node_tree.go:65", fmt.Sprintf(`"Updated node in listed group in NodeTree" node=%q zone=""`, pickOne(w.rand, w.nodes).name))
}

func proxyLine(w *world, _ *pod, at time.Time) string {
	return klog(at, 'I', 1, "proxier.go:828", fmt.Sprintf(`"SyncProxyRules complete" ipFamily="IPv4" elapsed="%d.%03dms"`, 8+w.rand.IntN(30), w.rand.IntN(1000)))
}

func dnsLine(w *world, _ *pod, _ time.Time) string {
	name, code := pickOne(w.rand, []string{"catalog.shop", "cart.shop", "payments-api.payments", "ledger.payments", "postgres.payments", "cart-redis.shop"})+".svc.cluster.local.", "NOERROR"
	if w.rand.IntN(8) == 0 {
		name, code = "api.stripe.example.com.shop.svc.cluster.local.", "NXDOMAIN"
	}
	return fmt.Sprintf(`[INFO] 10.244.0.%d:%d - %d "A IN %s udp %d false 1232" %s qr,aa,rd %d 0.000%06ds`,
		2+w.rand.IntN(40), 32_000+w.rand.IntN(28_000), w.rand.IntN(65_536), name, 40+len(name), code, 90+len(name), 60_000+w.rand.IntN(300_000))
}

func prometheusLine(w *world, _ *pod, at time.Time) string {
	stamp := at.UTC().Format("2006-01-02T15:04:05.000Z")
	if w.rand.IntN(10) == 0 {
		return fmt.Sprintf(`time=%s level=WARN source=scrape.go:1919 msg="Error on ingesting samples with different value but same timestamp" component="scrape manager" scrape_pool=kubelet num_dropped=%d`, stamp, 1+w.rand.IntN(3))
	}
	return fmt.Sprintf(`time=%s level=INFO source=head.go:1396 msg="WAL checkpoint complete" component=tsdb first=%d last=%d duration=%dms`, stamp, 300+w.rand.IntN(9), 310+w.rand.IntN(9), 300+w.rand.IntN(900))
}

func redisLine(w *world, _ *pod, at time.Time) string {
	return fmt.Sprintf("1:M %s * %s", at.UTC().Format("02 Jan 2006 15:04:05.000"), pickOne(w.rand, []string{
		"100 changes in 300 seconds. Saving...", fmt.Sprintf("Background saving started by pid %d", 200+w.rand.IntN(9000)), "DB saved on disk", "Background saving terminated with success",
	}))
}

func postgresLine(w *world, _ *pod, at time.Time) string {
	pid := 9000 + w.rand.IntN(900)
	switch w.rand.IntN(10) {
	case 0:
		return pgLine(at, 27, "LOG", fmt.Sprintf("checkpoint complete: wrote %d buffers (0.4%%); 0 WAL file(s) added, 0 removed, 1 recycled; write=%d.%03d s, sync=0.004 s, total=%d.%03d s", w.rand.IntN(400), 4+w.rand.IntN(5), w.rand.IntN(1000), 10, w.rand.IntN(1000)))
	case 1:
		return pgLine(at, pid, "ERROR", `duplicate key value violates unique constraint "charges_idempotency_key_key"`)
	}
	return pgLine(at, pid, "LOG", fmt.Sprintf("duration: %d.%03d ms  statement: INSERT INTO entries (account_id, amount, currency, booked_at) VALUES ($1, $2, $3, now()) RETURNING id", 1+w.rand.IntN(30), w.rand.IntN(1000)))
}
