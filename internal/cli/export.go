package cli

import (
	"bytes"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Export a pipeline to another workflow engine", Args: takes(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return usage("export needs a format; want export argo PIPELINE")
		},
	}
	cmd.AddCommand(a.withFormats(a.exportArgoCommand(), nil))
	return a.withFormats(cmd, nil)
}

func (a *app) exportArgoCommand() *cobra.Command {
	o := &scriptspec.ArgoOptions{}
	cmd := &cobra.Command{
		Use: "argo PIPELINE", Short: "Write a pipeline as a workflow for Argo Workflows, with one pod per node",
		Example: "  scriptspec export argo churn --image registry/ml:1 --claim shared-data | argo submit -",
		Args:    takes(cobra.ExactArgs(1)), ValidArgsFunction: a.completePipelines,
		RunE: a.inStore(func(_ *cobra.Command, st *scriptspec.Store, args []string) error {
			p, err := loadPipeline(st, args[0])
			if err != nil {
				return err
			}
			if o.Timeout, err = a.timeout(o.Timeout); err != nil {
				return err
			}
			var b bytes.Buffer // nothing is written where something is wrong
			if err := scriptspec.ExportArgo(&b, p, o); err != nil {
				return err
			}
			_, err = a.out.Write(b.Bytes())
			return err
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Image, "image", "", "image for all pods, with scriptspec, python3 and what the scripts import")
	flags.StringVar(&o.Claim, "claim", "", "persistent volume claim that all pods mount")
	flags.StringVar(&o.Mount, "mount", "", "path at which the pods mount it (default /mnt/scriptspec)")
	flags.StringVar(&o.Data, "data", "", "test data directory in the pods (default: testdata on the volume)")
	flags.StringVar(&o.Work, "work", "", "directory on the volume for work directories, one per run (default: work on the volume)")
	flags.StringVar(&o.Namespace, "namespace", "", "namespace of the workflow")
	flags.StringVar(&o.ServiceAccount, "service-account", "", "service account of the pods")
	flags.DurationVar(&o.Timeout, "timeout", 0, "time limit of scripts that have none of their own (default 5m)")
	return cmd
}
