using System.Diagnostics;
using Condense.Pipeline.Stages;

namespace Condense.Service.Telemetry;

/// <summary>A span for each stage of a run, by the run's own progress: wherever the run is, in this process or in a child, its progress comes here.</summary>
internal sealed class StageSpans : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ActivityContext _parent = Activity.Current?.Context ?? default;
    private Activity? _span;
    private Stage? _stage;

    /// <summary>The run is at a stage. The first report of a stage begins its span and ends that of the stage before.</summary>
    public void Enter(Stage stage)
    {
        lock (_lock)
        {
            if (_stage == stage)
            {
                return;
            }

            _span?.Dispose();
            _stage = stage;
            _span = Tracing.BeginDetached(ServiceMetrics.Word(stage), _parent);
        }
    }

    /// <summary>The run has ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _span?.Dispose();
            _span = null;
        }
    }
}
