package compat

import (
	"errors"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/logger"
)

const telegrafModule = "github.com/influxdata/telegraf"

// telegrafWrite has an output of Telegraf's send metrics as its agent does.
func telegrafWrite(output telegraf.Output, metrics ...telegraf.Metric) error {
	if o, ok := output.(telegraf.Initializer); ok {
		if err := o.Init(); err != nil {
			return err
		}
	}
	if err := output.Connect(); err != nil {
		return err
	}
	return errors.Join(output.Write(metrics), output.Close())
}

func telegrafLog(output string) telegraf.Logger { return logger.New("outputs", output, "") }
