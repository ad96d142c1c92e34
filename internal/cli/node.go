package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/signal"
	"slices"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

// nodeCommand is the helper of run --engine slurm on a compute node. Nobody calls it by hand.
func (a *app) nodeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "node DIR", Short: "Run the script that a driver has asked for in a job's directory, on a compute node", Hidden: true,
		Args: takes(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := context.WithCancelCause(context.WithoutCancel(cmd.Context())) // of which the first signal has no name
			defer stop(nil)
			signals := make(chan os.Signal, 1)
			names := endSignals()
			signal.Notify(signals, slices.Collect(maps.Keys(names))...) // which stay caught: the engine repeats them
			defer signal.Stop(signals)
			go func() {
				select {
				case s := <-signals:
					stop(errors.New(names[s]))
				case <-ctx.Done():
				}
			}()
			return scriptspec.RunNode(ctx, args[0])
		},
	}
}
