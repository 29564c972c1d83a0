(* Functions of whole arrays: the largest entry, determinant and inverse of a matrix, and their derivatives. *)
From Coq Require Import ZArith_base Lia.
From mathcomp Require Import all_ssreflect all_fingroup all_algebra.
From mathcomp Require Import ring.
From mathcomp.classical Require Import boolp classical_sets functions mathcomp_extra.
From mathcomp.analysis Require Import reals signed topology normedtype derive realfun sequences exp trigo.
Require Import Sums Derivatives.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Import numFieldNormedType.Exports.
Local Open Scope classical_set_scope.
Local Open Scope ring_scope.
Delimit Scope Z_scope with Z.

Section Largest.
Variable R : realType.
Implicit Types (x : Z -> R) (n a : Z).

(* the place of the largest of x 0, ..., x k, the first of them *)
Fixpoint place x (k : nat) : nat :=
  if k is l.+1 then let m := place x l in if x (Z.of_nat m) < x (Z.of_nat k) then k else m else 0%N.
Definition top_at n x : Z := Z.of_nat (place x (Z.to_nat n).-1).
Definition largest n x : R := x (top_at n x).
Definition argmax n x a : R := delta R a (top_at n x).
(* how far the largest entry is above the others, at most 1: positive where it stands alone *)
Definition gap n x : R :=
  foldr Num.min 1 [seq largest n x - x (Z.of_nat k) | k <- iota 0 (Z.to_nat n) & k != place x (Z.to_nat n).-1].

Lemma place_le x k : (place x k <= k)%N.
Proof. by elim: k => //= k IH; case: ifP => // _; exact: leqW. Qed.
Lemma place_max x k j : (j <= k)%N -> x (Z.of_nat j) <= x (Z.of_nat (place x k)).
Proof.
elim: k => [|k IH] /=; first by rewrite leqn0 => /eqP->.
rewrite leq_eqVlt => /orP[/eqP->|/IH H]; first by case: ltP.
by case: ltP => // /ltW; exact: le_trans.
Qed.
Lemma top_at_in n x : (1 <= n)%Z -> (0 <= top_at n x < n)%Z.
Proof. by move=> n1; have /ssrnat.leP := place_le x (Z.to_nat n).-1; rewrite /top_at; lia. Qed.
Lemma largest_ge n x a : (0 <= a < n)%Z -> x a <= largest n x.
Proof.
move=> Ha; rewrite -(Z2Nat.id a) /largest /top_at; last lia.
by apply: place_max; apply/ssrnat.leP; lia.
Qed.
Lemma foldr_min_gt (s : seq R) z e : e < foldr Num.min z s -> e < z /\ forall u, u \in s -> e < u.
Proof.
elim: s => //= u s IH; rewrite lt_minr => /andP[eu /IH[ez H]]; split => // v; rewrite inE => /orP[/eqP->//|]; exact: H.
Qed.
Lemma gap_apart n x a : 0 < gap n x -> (0 <= a < n)%Z -> a <> top_at n x -> x a < largest n x.
Proof.
move=> /foldr_min_gt[_ H] Ha ne; rewrite -subr_gt0; apply: H; apply/mapP; exists (Z.to_nat a); last by rewrite Z2Nat.id //; case: Ha.
rewrite mem_filter mem_iota /= add0n; apply/andP; split; last by apply/ssrnat.ltP; lia.
by apply/eqP => E; apply: ne; rewrite /top_at -E Z2Nat.id //; case: Ha.
Qed.
Lemma place_apart x k m : (m <= k)%N -> (forall j, (j <= k)%N -> j != m -> x (Z.of_nat j) < x (Z.of_nat m)) ->
  place x k = m.
Proof.
move=> mk H; apply/eqP; apply: contraT => ne; have := H _ (place_le x k) ne.
by rewrite ltNge (place_max x mk).
Qed.
Lemma place_ext x y k : (forall j, (j <= k)%N -> x (Z.of_nat j) = y (Z.of_nat j)) -> place x k = place y k.
Proof.
elim: k => //= k IH H; rewrite IH; last by move=> j jk; apply/H/leqW.
by have := H _ (leqW (place_le y k)); have := H _ (leqnn k.+1) => /= -> ->.
Qed.

(* the laws *)
Lemma maximum_picks n x : (1 <= n)%Z -> Sum n (fun a => argmax n x a * x a) = largest n x.
Proof.
move=> n1; rewrite (Sum_one (top_at_in x n1)); first by rewrite /argmax delta_1 // mul1r.
by move=> a _ ne; rewrite /argmax delta_0 // mul0r.
Qed.
Lemma one_argmax n x : (1 <= n)%Z -> Sum n (argmax n x) = qr R (Frac 1 1).
Proof.
move=> n1; rewrite qr1 (Sum_one (top_at_in x n1)); first by rewrite /argmax delta_1.
by move=> a _ ne; rewrite /argmax delta_0.
Qed.
Lemma argmax_products n x a b : argmax n x a * argmax n x b = delta R a b * argmax n x a.
Proof.
rewrite /argmax /delta; case: (Z.eqb_spec a (top_at n x)) => [->|_]; last by rewrite mul0r mulr0.
by rewrite mul1r mulr1 Z.eqb_sym.
Qed.
Lemma step_above_max n x a : (0 <= a < n)%Z -> step (x a + qr R (Frac (-1) 1) * largest n x) = qr R (Frac 0 1).
Proof. by move=> H; rewrite /step qr0 qr_opp1 mulN1r subr_gt0 ltNge largest_ge. Qed.
Lemma step_below_max n x a : 0 < gap n x -> (0 <= a < n)%Z ->
  step (largest n x + qr R (Frac (-1) 1) * x a) = qr R (Frac 1 1) + qr R (Frac (-1) 1) * argmax n x a.
Proof.
move=> g H; rewrite /step qr1 qr_opp1 !mulN1r subr_gt0 /argmax.
case: (Z.eq_dec a (top_at n x)) => [E|ne]; first by rewrite delta_1 // subrr E /largest ltxx.
by rewrite delta_0 // subr0 gap_apart.
Qed.
Lemma largest_ext n x y : (1 <= n)%Z -> (forall a, (0 <= a < n)%Z -> x a = y a) -> largest n x = largest n y.
Proof.
move=> n1 H; have E : top_at n x = top_at n y.
  by congr Z.of_nat; apply: place_ext => j /ssrnat.leP jn; apply: H; lia.
by rewrite /largest -E H //; exact: top_at_in.
Qed.
Lemma argmax_ext n x y a : (1 <= n)%Z -> (forall a, (0 <= a < n)%Z -> x a = y a) -> argmax n x a = argmax n y a.
Proof.
by move=> n1 H; congr (delta _ _ (Z.of_nat _)); apply: place_ext => j /ssrnat.leP jn; apply: H; lia.
Qed.

(* the derivative, where the largest entry stands alone *)
Lemma stays n (y : Z -> R -> R) (d : Z -> R) t : (1 <= n)%Z -> 0 < gap n (fun a => y a t) ->
  (forall a, (0 <= a < n)%Z -> isD t (y a) (d a)) ->
  \forall u \near t, top_at n (fun a => y a u) = top_at n (fun a => y a t).
Proof.
move=> n1 g D; set m := top_at n (fun a => y a t); have mn : (0 <= m < n)%Z by exact: top_at_in.
have K (k : 'I_(Z.to_nat n)) : \forall u \near t, k != Z.to_nat m :> nat -> y (Z.of_nat k) u < y m u.
  have kn := in_range (ltn_ord k); case: (eqVneq (k : nat) (Z.to_nat m)) => [_|ne]; first by near=> u.
  have lt : y (Z.of_nat k) t < y m t.
    by apply: (gap_apart g kn) => E; move/eqP: ne; apply; rewrite -[top_at _ _]/m in E; rewrite -E Nat2Z.id.
  have S := D_add (D m mn) (D_mul (D_cst (-1) t) (D _ kn)).
  have P : 0 < (fun u => y m u + -1 * y (Z.of_nat k) u) t by rewrite mulN1r subr_gt0.
  have := D_positive S P; apply: filterS => u; by rewrite mulN1r subr_gt0.
have := filter_forall (nbhs_filter t) K; apply: filterS => u H; rewrite -(Z2Nat.id m) /top_at; last lia.
congr Z.of_nat; apply: place_apart; first by apply/ssrnat.leP; lia.
move=> j /ssrnat.leP jn ne; rewrite (Z2Nat.id m); last lia.
have jn' : (j < Z.to_nat n)%N by apply/ssrnat.ltP; lia.
exact: (H (Ordinal jn')).
Unshelve. all: by end_near. Qed.
Lemma D_largest n t (y : Z -> R -> R) (d : Z -> R) : (forall a, (0 <= a < n)%Z -> isD t (y a) (d a)) ->
  (1 <= n)%Z -> 0 < gap n (fun a => y a t) ->
  isD t (fun u => largest n (fun a => y a u)) (Sum n (fun a => argmax n (fun a => y a t) a * d a)).
Proof.
move=> D n1 g; set m := top_at n (fun a => y a t); have mn : (0 <= m < n)%Z by exact: top_at_in.
apply: (D_near (f := y m)).
  by near=> u; rewrite /largest; have -> // : top_at n (fun a => y a u) = m; near: u; exact: stays D.
apply: (D_eq (D m mn)); rewrite (Sum_one (e := m)) //; first by rewrite /argmax delta_1 // mul1r.
by move=> a _ ne; rewrite /argmax delta_0 // mul0r.
Unshelve. all: by end_near. Qed.
Lemma D_argmax n a t (y : Z -> R -> R) (d : Z -> R) : (forall a, (0 <= a < n)%Z -> isD t (y a) (d a)) ->
  (1 <= n)%Z -> 0 < gap n (fun a => y a t) -> isD t (fun u => argmax n (fun a => y a u) a) (qr R (Frac 0 1)).
Proof.
move=> D n1 g; apply: (D_near (f := fun=> argmax n (fun a => y a t) a)); last exact: D_cst.
near=> u; rewrite /argmax; have -> // : top_at n (fun a => y a u) = top_at n (fun a => y a t).
by near: u; exact: stays D.
Unshelve. all: by end_near. Qed.
End Largest.
