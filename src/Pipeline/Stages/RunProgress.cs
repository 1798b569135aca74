namespace Condense.Pipeline.Stages;

/// <summary>Stopwatches of the stages, and reports to whoever listens.</summary>
internal sealed class RunProgress(TimeProvider clock, IProgress<StageProgress>? listener)
{
    /// <summary>Where each stage begins and ends in the whole run: analysing and compressing read and compute, the others only read or write.</summary>
    private static readonly Dictionary<Stage, (double From, double To)> s_shares = new()
    {
        [Stage.Loading] = (0, 0.03),
        [Stage.Analysing] = (0.03, 0.5),
        [Stage.Planning] = (0.5, 0.52),
        [Stage.Compressing] = (0.52, 0.85),
        [Stage.Packaging] = (0.85, 0.9),
        [Stage.Verifying] = (0.9, 1),
    };

    private readonly Dictionary<string, double> _seconds = new(StringComparer.Ordinal);
    private Stage? _stage;
    private long _started;

    /// <summary>Seconds of each stage so far, in the order of the run.</summary>
    public IReadOnlyDictionary<string, double> SecondsByStage => _seconds;

    /// <summary>Begins a stage and ends the one before.</summary>
    public void Begin(Stage stage, int layersTotal)
    {
        End();
        _stage = stage;
        _started = clock.GetTimestamp();
        Report(0, layersTotal, 0, $"{stage}");
    }

    /// <summary>Ends the current stage.</summary>
    public void End()
    {
        if (_stage is { } stage)
        {
            string name = stage.ToString();
            _seconds[char.ToLowerInvariant(name[0]) + name[1..]] = clock.GetElapsedTime(_started).TotalSeconds;
            _stage = null;
        }
    }

    /// <summary>Tells that a layer is finished.</summary>
    public void Report(int layersDone, int layersTotal, int layersReused, string message)
    {
        var stage = _stage ?? throw new InvalidOperationException("No stage has begun.");
        var (from, to) = s_shares[stage];
        double fraction = layersTotal == 0 ? from : from + ((to - from) * layersDone / layersTotal);
        listener?.Report(new StageProgress(stage, layersDone, layersTotal, layersReused, fraction, message));
    }
}
