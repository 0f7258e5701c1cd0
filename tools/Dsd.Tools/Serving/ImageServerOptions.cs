using System.Net;
using Dsd.Serving;

namespace Dsd.Tools.Serving;

/// <summary>How <c>dsd serve</c> listens, and where it tells what it measures.</summary>
/// <param name="Address">The address of this machine on which it listens.</param>
/// <param name="Port">The port; 0 takes any free one.</param>
/// <param name="Serving">Who may ask, and how much.</param>
/// <param name="Telemetry">
/// OpenTelemetry's settings, by their names in the environment, such as <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>; null exports nothing.
/// </param>
internal sealed record ImageServerOptions(IPAddress Address, int Port, DsdServingOptions Serving, IReadOnlyDictionary<string, string?>? Telemetry = null);
