package compat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/daemon/logger"
)

const dockerModule = "github.com/docker/docker"

// container is what Docker tells a log driver of its container.
func container(options map[string]string) logger.Info {
	return logger.Info{
		Config: with(map[string]string{"labels": "team", "tag": "{{.Name}}"}, options), ContainerID: "0123456789abcdef0123456789abcdef", ContainerName: "/shop-web-1", ContainerImageName: "shop/web:1.2",
		ContainerLabels: map[string]string{"team": "shop"}, ContainerCreated: time.Now(),
	}
}

// dockerLog has one of Docker's log drivers log lines, a millisecond apart, the last of them to the standard error.
func dockerLog(open logger.Creator, options map[string]string, at time.Time, lines ...string) error {
	driver, err := open(container(options))
	if err != nil {
		return fmt.Errorf("the container does not start: %w", err)
	}
	for i, text := range lines {
		m := logger.NewMessage()
		m.Line, m.Timestamp, m.Source = append(m.Line, text...), at.Add(time.Duration(i)*time.Millisecond), "stdout"
		if i == len(lines)-1 {
			m.Source = "stderr"
		}
		err = errors.Join(err, driver.Log(m))
	}
	return errors.Join(err, driver.Close())
}

type dockerCheck func(ctx context.Context, x *account, at time.Time) error

func (c dockerCheck) run(ctx context.Context, x *account) error {
	return c(ctx, x, time.Now().Truncate(time.Microsecond))
}
