using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>A network whose weights wait on the host and are on the device only while it works.</summary>
/// <param name="module">The network.</param>
/// <param name="device">Where it works; null for a network that stays where it is.</param>
internal sealed class IdleModule(nn.Module module, Device? device)
{
    /// <summary>Brings the weights to the device until the result is disposed, by the same thread. One visit at a time.</summary>
    public IDisposable? Visit() => device is null ? null : new Stay(module, device);

    private sealed class Stay : IDisposable
    {
        private readonly nn.Module _module;

        public Stay(nn.Module module, Device device)
        {
            _module = module;
            Monitor.Enter(module);
            try
            {
                Move(device);
            }
            catch
            {
                Monitor.Exit(module);
                throw;
            }
        }

        public void Dispose()
        {
            try
            {
                Move(CPU);
            }
            finally
            {
                Monitor.Exit(_module);
            }
        }

        private void Move(Device device)
        {
            using IDisposable noGrad = no_grad();
            WeightLoader.Kept(_module.to(device));
        }
    }
}
