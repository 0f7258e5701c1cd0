using System.Diagnostics.Metrics;

namespace Dsd.Serving;

/// <summary>What the server measures, under the meter <see cref="DsdServing.MeterName"/>.</summary>
internal sealed class ServingMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _pictures;
    private readonly Histogram<double> _waited;
    private readonly Histogram<double> _drew;

    public ServingMetrics(IMeterFactory? factory, ImageQueue queue)
    {
        MeterOptions options = new(DsdServing.MeterName);
        Meter meter = factory?.Create(options) ?? new Meter(options);
        _requests = meter.CreateCounter<long>("dsd.serving.requests", "{request}", "Requests for pictures, by outcome.");
        _pictures = meter.CreateCounter<long>("dsd.serving.pictures", "{picture}", "Pictures that were drawn.");
        _waited = meter.CreateHistogram<double>("dsd.serving.wait", "s", "How long requests waited for their turn.");
        _drew = meter.CreateHistogram<double>("dsd.serving.duration", "s", "How long requests were drawn, all their pictures.");
        meter.CreateObservableGauge("dsd.serving.waiting", () => queue.Waiting, "{request}", "Requests that wait for their turn.");
        meter.CreateObservableGauge("dsd.serving.drawing", () => queue.Drawing, "{request}", "Requests that are being drawn.");
    }

    /// <summary>Counts a request that has ended.</summary>
    /// <param name="outcome">drawn, refused, full, cancelled or failed.</param>
    public void Ended(string outcome) => _requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Waited(TimeSpan time) => _waited.Record(time.TotalSeconds);

    public void Drew(TimeSpan time, int pictures)
    {
        _drew.Record(time.TotalSeconds);
        _pictures.Add(pictures);
    }
}
