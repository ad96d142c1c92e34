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

// nodeCommand is what engines start: the helper of run --engine slurm on a compute node, and with --pipeline one node of a
// pipeline. Nobody calls it by hand.
func (a *app) nodeCommand() *cobra.Command {
	f := &nodeFlags{}
	job := a.withFormats(&cobra.Command{RunE: a.runJob}, nil)
	ofPipeline := a.withFormats(&cobra.Command{RunE: func(cmd *cobra.Command, _ []string) error { return a.runNode(cmd, f) }}, resultFormats)
	return f.add(&cobra.Command{
		Use:    "node DIR | node --pipeline NAME --node NODE --work DIR",
		Short:  "Run the script that a job directory asks for, or one node of a pipeline",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			run, want := job.RunE, cobra.ExactArgs(1)
			if cmd.Flags().Changed("pipeline") {
				run, want = ofPipeline.RunE, cobra.NoArgs
			}
			if err := takes(want)(cmd, args); err != nil {
				return err
			}
			return run(cmd, args)
		},
	})
}

// runJob is the helper on a compute node.
func (a *app) runJob(cmd *cobra.Command, args []string) error {
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
}
