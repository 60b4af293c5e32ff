package harness

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
)

// The environment of a stand-in for a ClickHouse server: what a server has the hash of, or nothing.
const (
	clickHousePassword = "CLICKHOUSE_PASSWORD"
	clickHouseSecret   = "SEAMARK_CLICKHOUSE_TENANT_SECRET"
	clickHouseLibrary  = "SEAMARK_CLICKHOUSE_LIBRARY"
)

// serverConfig is what the stand-in reads of a server's configuration.
type serverConfig struct {
	Path string `xml:"path"`
	Host string `xml:"listen_host"`
	TCP  int    `xml:"tcp_port"`
	HTTP int    `xml:"http_port"`
}

// serveClickHouse takes the place of `clickhouse server --config-file FILE`, with the embedded engine, until SIGTERM.
func serveClickHouse(args []string) error {
	if len(args) != 3 || !slices.Equal(args[:2], []string{"server", "--config-file"}) {
		return fmt.Errorf("clickhouse %q; this one knows `clickhouse server --config-file FILE` alone", args)
	}
	config, err := readServerConfig(args[2])
	if err != nil {
		return err
	}
	// The engine keeps the ports that it had.
	ports, err := json.Marshal(map[string]int{"tcp": config.TCP, "http": config.HTTP})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(config.Path, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(config.Path, "ports.json"), ports, 0o600); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ch, err := engine.StartClickHouse(starting, engine.ClickHouseOptions{
		DataDir: config.Path, LibraryPath: os.Getenv(clickHouseLibrary), MaxMemoryBytes: 2 << 30, AdminPassword: os.Getenv(clickHousePassword), TenantSecret: os.Getenv(clickHouseSecret),
	})
	if err != nil {
		return err
	}
	if tcp, _ := ch.Addrs(); tcp != fmt.Sprintf("%s:%d", config.Host, config.TCP) {
		return fmt.Errorf("port %d of %s is taken", config.TCP, config.Host)
	}
	<-ctx.Done()
	stopping, cancelStop := context.WithTimeout(context.Background(), time.Minute)
	defer cancelStop()
	return ch.Stop(stopping)
}

func readServerConfig(file string) (*serverConfig, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &serverConfig{}
	if err := xml.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if c.Path == "" || c.Host == "" || c.TCP == 0 || c.HTTP == 0 {
		return nil, fmt.Errorf("%s names no path, listen_host, tcp_port or http_port", file)
	}
	if os.Getenv(clickHousePassword) == "" || os.Getenv(clickHouseSecret) == "" {
		return nil, fmt.Errorf("%s and %s must be set", clickHousePassword, clickHouseSecret)
	}
	return c, nil
}
