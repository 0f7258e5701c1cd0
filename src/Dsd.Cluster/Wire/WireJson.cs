using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Runs.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Dsd.Cluster.Wire;

/// <summary>Captions, prompts and pairs between processes: as JSON, since their types know nothing of Orleans.</summary>
internal static class WireJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        // The confidence of an undecided pair is no number.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        // What another process sends must pass the checks of its type: nothing that is needed may be missing or null.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Has Orleans send these types as JSON.</summary>
    public static void AddTo(IServiceCollection services) => services.AddSerializer(AddTo);

    /// <inheritdoc cref="AddTo(IServiceCollection)"/>
    public static void AddTo(ISerializerBuilder builder) => builder.AddJsonSerializer(
        type => type == typeof(SeedCaption) || type == typeof(LedgerPrompt) || type == typeof(LedgerPair), Options);
}
