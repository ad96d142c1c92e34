package cli

import (
	"errors"
	"maps"
	"time"

	"github.com/spf13/cobra"
)

// nodeFlags are those of node where it runs a node of a pipeline.
type nodeFlags struct {
	pipeline, node, work string
	timeout              time.Duration
	programs             []string
}

func (f *nodeFlags) add(cmd *cobra.Command) *cobra.Command {
	flags := cmd.Flags()
	flags.StringVar(&f.pipeline, "pipeline", "", "run a node of this pipeline")
	flags.StringVar(&f.node, "node", "", "the node to run")
	flags.StringVar(&f.work, "work", "", "work directory of the pipeline, which other nodes may use at the same time")
	flags.DurationVar(&f.timeout, "timeout", 0, "time limit of the script (default 5m)")
	flags.StringSliceVar(&f.programs, "command-line", nil, "run these scripts as programs that take their job arguments as flags")
	return cmd
}

// runNode runs one node of a pipeline on what the nodes before it have made in the same work directory: what a pod of an
// exported workflow does. Its exit code is 1 if the node failed, so that the engine does not start what depends on it.
func (a *app) runNode(cmd *cobra.Command, f *nodeFlags) error {
	for _, flag := range []struct{ name, value, what string }{
		{"pipeline", f.pipeline, "the pipeline"}, {"node", f.node, "its node"}, {"work", f.work, "the work directory"},
	} {
		if flag.value == "" {
			return usage("node needs --%s, %s", flag.name, flag.what)
		}
	}
	err := a.run(cmd, &runFlags{
		pipeline: f.pipeline, only: []string{f.node}, work: f.work, shared: true, timeout: f.timeout, programs: f.programs, repeat: 1,
	}, nil)
	if code := codeOfFlags(err); code != 0 {
		places := maps.Clone(flagPlaces)
		places["options.only"] = "--node"
		return &exit{code, errors.New(inFlags(err, places))}
	}
	return err
}
