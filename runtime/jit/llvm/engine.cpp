#include "runtime/jit/engine.h"

#include <mutex>

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include "runtime/jit/llvm/emitter.h"

// Compiles with one target machine for both the passes and the code generator, so that loops are
// vectorised for the processor at hand; links object files with ORC. No Error is left unchecked and
// none aborts.
namespace couler::jit {

namespace {

namespace orc = llvm::orc;

std::string text(llvm::Error error) { return llvm::toString(std::move(error)); }

class OrcCode final : public Compiled {
 public:
  OrcCode(orc::LLJIT& jit, orc::JITDylib& library, std::mutex& mutex)
      : jit_(jit), library_(library), mutex_(mutex) {}
  ~OrcCode() override {
    const std::lock_guard lock(mutex_);
    llvm::consumeError(jit_.getExecutionSession().removeJITDylib(library_));
  }
  bool find(std::string& why) {
    for (const auto& [name, into] : {std::pair{kFilterName, &filter}, {kProjectName, &project}}) {
      auto address = jit_.lookup(library_, name);
      if (!address) {
        why = text(address.takeError());
        return false;
      }
      *into = address->toPtr<Function>();
    }
    return true;
  }

 private:
  orc::LLJIT& jit_;
  orc::JITDylib& library_;
  std::mutex& mutex_;
};

class OrcEngine final : public Engine {
 public:
  bool start(const Symbol* symbols, std::size_t count, std::string cpu, std::string& why) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto host = orc::JITTargetMachineBuilder::detectHost();
    if (!host) {
      why = text(host.takeError());
      return false;
    }
    builder_.emplace(std::move(*host));
    builder_->setRelocationModel(llvm::Reloc::PIC_);
    builder_->setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
    builder_->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
    if (!cpu.empty()) {
      if (!isKnown(cpu)) {
        why = "there is no processor `" + cpu + "`";
        return false;
      }
      builder_->setCPU(cpu);
      builder_->getFeatures() = llvm::SubtargetFeatures();
    }
    target_ = builder_->getTargetTriple().str() + " " + builder_->getCPU() + " " +
              builder_->getFeatures().getString() + " LLVM " LLVM_VERSION_STRING;
    return startSession(symbols, count, why);
  }

  std::string_view target() const override { return target_; }

  std::string compile(const Program& program, std::string& why) override {
    const std::lock_guard lock(mutex_);
    if (!machine_) {
      auto machine = builder_->createTargetMachine();
      if (!machine) {
        why = text(machine.takeError());
        return {};
      }
      machine_ = std::move(*machine);
    }
    llvm::LLVMContext context;
    llvm::Module module("couler", context);
    module.setTargetTriple(builder_->getTargetTriple().str());
    module.setDataLayout(machine_->createDataLayout());
    const llvm::MCSubtargetInfo& about = *machine_->getMCSubtargetInfo();
    const bool wide = !builder_->getTargetTriple().isX86() || about.checkFeatures("+avx512dq");
    if (!Emitter(module, program, wide).run(why)) return {};
    dropUnused(module);
    for (llvm::Function& function : module) {
      if (function.isDeclaration()) continue;
      function.addFnAttr("target-cpu", machine_->getTargetCPU());
      function.addFnAttr("target-features", machine_->getTargetFeatureString());
      function.addFnAttr("prefer-vector-width", "256");
      function.addFnAttr(llvm::Attribute::NoUnwind);
    }
    llvm::raw_string_ostream problems(why);
    if (llvm::verifyModule(module, &problems)) return {};
    optimise(module);

    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream(object);
    llvm::legacy::PassManager emit;
    if (machine_->addPassesToEmitFile(emit, stream, nullptr, llvm::CodeGenFileType::ObjectFile)) {
      why = "this processor has no object files";
      return {};
    }
    emit.run(module);
    return {object.data(), object.size()};
  }

  std::unique_ptr<Compiled> load(std::string_view object, std::string& why) override {
    const std::lock_guard lock(mutex_);
    auto library = jit_->createJITDylib("pipeline" + std::to_string(++count_));
    if (!library) {
      why = text(library.takeError());
      return nullptr;
    }
    library->addToLinkOrder(jit_->getMainJITDylib());
    std::unique_ptr<OrcCode> code(new OrcCode(*jit_, *library, codeMutex_));
    auto memory = llvm::MemoryBuffer::getMemBufferCopy({object.data(), object.size()}, "couler");
    if (auto error = jit_->addObjectFile(*library, std::move(memory))) {
      why = text(std::move(error));
      return nullptr;
    }
    if (!code->find(why)) return nullptr;
    return code;
  }

 private:
  bool isKnown(const std::string& cpu) const {
    std::string why;
    const std::string triple = builder_->getTargetTriple().str();
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, why);
    if (target == nullptr) return false;
    const std::unique_ptr<llvm::MCSubtargetInfo> about(
        target->createMCSubtargetInfo(triple, "", ""));
    return about != nullptr && about->isCPUStringValid(cpu);
  }

  bool startSession(const Symbol* symbols, std::size_t count, std::string& why) {
    // Nothing here is compiled by the session, and nothing has initialisers or unwinds: object
    // files are all that it links.
    auto layout = builder_->getDefaultDataLayoutForTarget();
    if (!layout) {
      why = text(layout.takeError());
      return false;
    }
    auto made =
        orc::LLJITBuilder()
            .setJITTargetMachineBuilder(*builder_)
            .setDataLayout(*layout)
            .setLinkProcessSymbolsByDefault(false)
            .setPlatformSetUp(orc::setUpInactivePlatform)
            .setCompileFunctionCreator(
                [](orc::JITTargetMachineBuilder)
                    -> llvm::Expected<std::unique_ptr<orc::IRCompileLayer::IRCompiler>> {
                  return std::make_unique<NoCompiler>();
                })
            .setObjectLinkingLayerCreator([](orc::ExecutionSession& session, const llvm::Triple&) {
              return std::make_unique<orc::ObjectLinkingLayer>(session);
            })
            .create();
    if (!made) {
      why = text(made.takeError());
      return false;
    }
    jit_ = std::move(*made);
    jit_->getExecutionSession().setErrorReporter(
        [](llvm::Error error) { llvm::consumeError(std::move(error)); });
    orc::SymbolMap known;
    for (std::size_t i = 0; i < count; ++i) {
      known[jit_->mangleAndIntern(symbols[i].name)] = {
          orc::ExecutorAddr::fromPtr(symbols[i].address), llvm::JITSymbolFlags::Exported};
    }
    if (auto error = jit_->getMainJITDylib().define(orc::absoluteSymbols(std::move(known)))) {
      why = text(std::move(error));
      return false;
    }
    return true;
  }

  /// The passes would do so only after they have been over them.
  static void dropUnused(llvm::Module& module) {
    for (bool again = true; again;) {
      again = false;
      for (llvm::Function& function : llvm::make_early_inc_range(module)) {
        if (!function.use_empty() || function.hasExternalLinkage()) continue;
        function.eraseFromParent();
        again = true;
      }
    }
  }

  void optimise(llvm::Module& module) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    llvm::PipelineTuningOptions tuning;
    tuning.LoopVectorization = true;
    tuning.SLPVectorization = false;
    llvm::PassBuilder passes(machine_.get(), tuning);
    passes.registerModuleAnalyses(modules);
    passes.registerCGSCCAnalyses(components);
    passes.registerFunctionAnalyses(functions);
    passes.registerLoopAnalyses(loops);
    passes.crossRegisterProxies(loops, functions, components, modules);
    passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
  }

  class NoCompiler final : public orc::IRCompileLayer::IRCompiler {
   public:
    NoCompiler() : IRCompiler(orc::IRSymbolMapper::ManglingOptions{}) {}
    llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> operator()(llvm::Module&) override {
      return llvm::createStringError("modules are compiled before");
    }
  };

  std::mutex mutex_;
  std::mutex codeMutex_;
  std::optional<orc::JITTargetMachineBuilder> builder_;
  std::unique_ptr<llvm::TargetMachine> machine_;
  std::unique_ptr<orc::LLJIT> jit_;
  std::string target_;
  std::uint64_t count_ = 0;
};

}  // namespace

}  // namespace couler::jit

extern "C" __attribute__((visibility("default"))) couler::jit::Engine* couler_jit_engine(
    const couler::jit::Symbol* symbols, std::size_t count, const char* cpu, std::string* why) {
  auto engine = std::make_unique<couler::jit::OrcEngine>();
  if (!engine->start(symbols, count, cpu, *why)) return nullptr;
  return engine.release();
}
