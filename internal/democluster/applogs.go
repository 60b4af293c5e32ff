package democluster

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/loki/pkg/push"
)

// failed tells the requests whose lines are written always, as far as the volume allows.
func (h *hit) failed() bool { return h.code >= http.StatusInternalServerError }

func (h *hit) share(usual float64) float64 {
	if h.failed() {
		return 1
	}
	return usual
}

func (h *hit) level() level {
	switch {
	case h.failed():
		return levelError
	case h.code >= http.StatusBadRequest:
		return levelWarn
	}
	return levelInfo
}

// logIngress writes an access line in ingress-nginx' default format.
func logIngress(w *world, h *hit) {
	if !w.kept(h.share(0.5)) {
		return
	}
	agents := []string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
		"ShopApp/8.4 (Android 15)", "curl/8.15.0",
	}
	l := h.handler.workload
	upstream, size := "-", 200+w.rand.IntN(6000)
	if h.upstream != nil {
		upstream = fmt.Sprintf("%s:%d", h.upstream.ip, l.port)
	}
	if h.failed() {
		size = 562
	}
	seconds := h.latency.Seconds()
	w.line(h.pod, stdout, h.at, fmt.Sprintf(`203.0.113.%d - - [%s] %q %d %d "-" %q %d %.3f [%s-%s-%d] [] %s %d %.3f %d %x`,
		1+w.rand.IntN(250), h.at.UTC().Format("02/Jan/2006:15:04:05 -0700"), h.handler.method+" "+h.path+" HTTP/2.0", h.code, size, pickOne(w.rand, agents),
		300+w.rand.IntN(900), seconds, l.namespace, l.name, l.port, upstream, size, max(seconds-0.001, 0), h.code, h.trace[:]))
}

// logFrontend writes JSON in pino's manner.
func logFrontend(w *world, h *hit) {
	if !w.kept(h.share(0.4)) {
		return
	}
	number := map[level]int{levelInfo: 30, levelWarn: 40, levelError: 50}[h.level()]
	text, out := "request completed", stdout
	if h.failed() {
		text, out = "request failed", stderr
	}
	cause := ""
	if h.cause != "" {
		cause = fmt.Sprintf(`,"err":%q`, h.cause)
	}
	w.line(h.pod, out, h.at, fmt.Sprintf(`{"level":%d,"time":%d,"pid":1,"hostname":%q,"trace_id":%q,"span_id":%q,"req":{"method":%q,"url":%q},"res":{"statusCode":%d},"responseTime":%d%s,"msg":%q}`,
		number, h.at.UnixMilli(), h.pod.name, h.trace.String(), h.span.String(), h.handler.method, h.path, h.code, h.latency.Milliseconds(), cause, text))
}

// logCatalog writes logfmt; its trace id goes beside the line, as structured metadata.
func logCatalog(w *world, h *hit) {
	if !w.kept(h.share(0.6)) {
		return
	}
	text := "served request"
	if h.cause != "" {
		text = h.cause
	}
	out := stdout
	if h.failed() {
		out = stderr
	}
	w.line(h.pod, out, h.at, fmt.Sprintf("ts=%s level=%s caller=server.go:%d method=%s path=%s status=%d duration=%s cache=%s msg=%q",
		h.at.UTC().Format("2006-01-02T15:04:05.000Z"), h.level(), 118, h.handler.method, h.path, h.code, h.latency.Round(time.Microsecond), pickOne(w.rand, []string{"hit", "hit", "hit", "miss"}), text),
		push.LabelAdapter{Name: "trace_id", Value: h.trace.String()})
}

// logCart writes lines of Spring Boot's default layout, with a stack trace when something breaks.
func logCart(w *world, h *hit) {
	if !w.kept(h.share(1)) {
		return
	}
	thread := fmt.Sprintf("nio-8080-exec-%d", 1+w.rand.IntN(10))
	if h.failed() {
		w.line(h.pod, stdout, h.at, javaTrace(h.at, thread, "redis.clients.jedis.exceptions.JedisConnectionException: "+h.cause, cartFrames))
		return
	}
	w.line(h.pod, stdout, h.at, javaLine(h.at, "INFO", thread, "c.e.shop.cart.CartController", fmt.Sprintf("added item %d to cart %s in %d ms", 1000+w.rand.IntN(9000), h.trace.String()[:12], h.latency.Milliseconds())))
}

// logLedger writes the same layout as logCart.
func logLedger(w *world, h *hit) {
	if !w.kept(h.share(1)) {
		return
	}
	thread := fmt.Sprintf("nio-8080-exec-%d", 1+w.rand.IntN(10))
	if h.failed() {
		w.line(h.pod, stdout, h.at, javaTrace(h.at, thread, "java.sql.SQLTransientConnectionException: "+h.cause, ledgerFrames))
		return
	}
	w.line(h.pod, stdout, h.at, javaLine(h.at, "INFO", thread, "c.e.payments.ledger.EntryService", fmt.Sprintf("booked entry %d trace_id=%s in %d ms", 5_000_000+w.rand.IntN(900_000), h.trace, h.latency.Milliseconds())))
}

func javaLine(at time.Time, severity, thread, class, text string) string {
	return fmt.Sprintf("%s %5s 1 --- [%s] %-40s : %s", at.UTC().Format("2006-01-02T15:04:05.000Z"), severity, thread, class, text)
}

// Frames of stack traces, from the innermost.
const (
	cartFrames = `com.example.shop.cart.CartStore.save(CartStore.java:87)
com.example.shop.cart.CartService.addItem(CartService.java:54)
com.example.shop.cart.CartController.postItem(CartController.java:41)
java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)
org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:903)
java.base/java.lang.Thread.run(Thread.java:1583)`
	ledgerFrames = `com.zaxxer.hikari.pool.HikariPool.createTimeoutException(HikariPool.java:686)
com.zaxxer.hikari.pool.HikariPool.getConnection(HikariPool.java:179)
com.example.payments.ledger.EntryRepository.insert(EntryRepository.java:63)
com.example.payments.ledger.EntryService.book(EntryService.java:48)
org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:903)
java.base/java.lang.Thread.run(Thread.java:1583)`
)

// javaTrace is one entry of several lines, as agents join them.
func javaTrace(at time.Time, thread, exception, frames string) string {
	return javaLine(at, "ERROR", thread, "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() threw exception") + "\n" + exception + "\n\tat " +
		strings.ReplaceAll(frames, "\n", "\n\tat ")
}

// logCheckout writes records by OTLP.
func logCheckout(w *world, h *hit) {
	if !w.kept(1) {
		return
	}
	attrs := hitAttrs(h)
	if h.failed() {
		w.record(h.pod, logRecord{h.at, levelError, "checkout failed: " + h.cause, h.trace}, append(attrs, attr("error.type", "payment_declined_upstream"))...)
		return
	}
	w.record(h.pod, logRecord{w.notBeforeTick(h.at.Add(-time.Millisecond)), levelDebug, "reserving stock", h.trace}, attr("items", 1+w.rand.IntN(5)))
	w.record(h.pod, logRecord{h.at, h.level(), "order placed", h.trace}, append(attrs, attr("order.total", float64(900+w.rand.IntN(20_000))/100))...)
}

// logPayments writes records by OTLP whose bodies are JSON, as of a service that logged JSON before it had the SDK.
func logPayments(w *world, h *hit) {
	if !w.kept(h.share(1)) {
		return
	}
	text := "charge authorized"
	switch {
	case h.failed():
		text = "charge failed: " + h.cause
	case h.code == http.StatusNotFound:
		text = "charge not found"
	case h.handler.method == http.MethodGet:
		text = "charge looked up"
	}
	body := fmt.Sprintf(`{"time":%q,"level":%q,"msg":%q,"method":%q,"path":%q,"status":%d,"duration_ms":%d,"trace_id":%q}`,
		h.at.UTC().Format(time.RFC3339Nano), strings.ToUpper(string(h.level())), text, h.handler.method, h.path, h.code, h.latency.Milliseconds(), h.trace.String())
	w.record(h.pod, logRecord{h.at, h.level(), body, h.trace}, hitAttrs(h)...)
}
