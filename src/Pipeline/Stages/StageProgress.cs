namespace Condense.Pipeline.Stages;

/// <summary>How far a run is. Reported when a stage starts and when a layer is finished.</summary>
/// <param name="Stage">Where the run is.</param>
/// <param name="LayersDone">Layers finished in this stage; reused ones count.</param>
/// <param name="LayersTotal">Layers of this stage; 0 when the stage does not go layer by layer.</param>
/// <param name="LayersReused">Layers of this stage that an earlier attempt had finished.</param>
/// <param name="Fraction">Of the whole run, 0 … 1.</param>
/// <param name="Message">One sentence for people.</param>
public sealed record StageProgress(Stage Stage, int LayersDone, int LayersTotal, int LayersReused, double Fraction, string Message);
