(* Determinant and inverse of a matrix, and their derivatives. *)
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

Section Matrices.
Variable R : realType.
Implicit Types (A B : Z -> Z -> R) (n p q : Z).

Definition matrix_of n A : 'M[R]_(Z.to_nat n) := \matrix_(i, j) A (Z.of_nat i) (Z.of_nat j).
Definition entry n (M : 'M[R]_(Z.to_nat n)) p q : R :=
  if (insub (Z.to_nat p), insub (Z.to_nat q)) is (Some i, Some j) then M i j else 0.
Definition determinant n A : R := \det (matrix_of n A).
Definition inverse n A p q : R := entry (invmx (matrix_of n A)) p q.

Lemma entryE n (M : 'M[R]_(Z.to_nat n)) (i j : 'I_(Z.to_nat n)) : entry M (Z.of_nat i) (Z.of_nat j) = M i j.
Proof. by rewrite /entry !Nat2Z.id !valK. Qed.
Lemma at_ordinal n p : (0 <= p < n)%Z -> exists i : 'I_(Z.to_nat n), p = Z.of_nat i.
Proof.
move=> H; have k : (Z.to_nat p < Z.to_nat n)%N by apply/ssrnat.ltP; lia.
by exists (Ordinal k); rewrite /= Z2Nat.id //; case: H.
Qed.
Lemma matrix_of_ext n A B : (forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> A p q = B p q) ->
  matrix_of n A = matrix_of n B.
Proof. by move=> H; apply/matrixP => i j; rewrite !mxE; apply: H; exact: in_range. Qed.
Lemma matrix_of_entry n (M : 'M[R]_(Z.to_nat n)) : matrix_of n (entry M) = M.
Proof. by apply/matrixP => i j; rewrite mxE entryE. Qed.
Lemma determinant_ext n A B : (forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> A p q = B p q) ->
  determinant n A = determinant n B.
Proof. by move=> H; rewrite /determinant (matrix_of_ext H). Qed.
Lemma inverse_ext n A B p q : (forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> A p q = B p q) ->
  inverse n A p q = inverse n B p q.
Proof. by move=> H; rewrite /inverse (matrix_of_ext H). Qed.
Lemma unit_of n A : determinant n A != 0 -> matrix_of n A \in unitmx. Proof. by rewrite unitmxE unitfE. Qed.
Lemma Z_of_nat_eqb (i j : nat) : Z.eqb (Z.of_nat i) (Z.of_nat j) = (i == j).
Proof. by apply/Z.eqb_spec/eqP => [/Nat2Z.inj|->]. Qed.
Lemma deltaE n (i j : 'I_(Z.to_nat n)) : delta R (Z.of_nat i) (Z.of_nat j) = (1%:M : 'M[R]_(Z.to_nat n)) i j.
Proof. by rewrite /delta Z_of_nat_eqb mxE -val_eqE; case: eqP. Qed.

Lemma inverse_times n A p q : determinant n A != 0 -> (0 <= p < n)%Z -> (0 <= q < n)%Z ->
  Sum n (fun k => inverse n A p k * A k q) = delta R p q.
Proof.
move=> /unit_of U /at_ordinal[i ->] /at_ordinal[j ->]; rewrite deltaE -(mulVmx U) mxE /Sum.
by apply: eq_bigr => k _; rewrite /inverse entryE [matrix_of n A k j]mxE.
Qed.
Lemma times_inverse n A p q : determinant n A != 0 -> (0 <= p < n)%Z -> (0 <= q < n)%Z ->
  Sum n (fun k => A p k * inverse n A k q) = delta R p q.
Proof.
move=> /unit_of U /at_ordinal[i ->] /at_ordinal[j ->]; rewrite deltaE -(mulmxV U) mxE /Sum.
by apply: eq_bigr => k _; rewrite /inverse entryE [matrix_of n A i k]mxE.
Qed.
Lemma transposed n A : matrix_of n (fun i j => A j i) = (matrix_of n A)^T.
Proof. by apply/matrixP => i j; rewrite !mxE. Qed.
Lemma determinant_of_transpose n A : determinant n A = determinant n (fun i j => A j i).
Proof. by rewrite /determinant transposed det_tr. Qed.
Lemma inverse_of_transpose n A p q : inverse n A p q = inverse n (fun i j => A j i) q p.
Proof.
rewrite /inverse transposed -trmx_inv /entry; case: insub => [i|]; last by case: insub.
by case: insub => // j; rewrite mxE.
Qed.
Lemma product_of n A B : matrix_of n (fun i j => Sum n (fun k => A i k * B k j)) = matrix_of n A *m matrix_of n B.
Proof. by apply/matrixP => i j; rewrite !mxE; apply: eq_bigr => k _; rewrite !mxE. Qed.
Lemma determinant_of_product n A B :
  determinant n (fun i j => Sum n (fun k => A i k * B k j)) = determinant n A * determinant n B.
Proof. by rewrite /determinant product_of det_mulmx. Qed.
Lemma inverse_unique N (M X : 'M[R]_N) : M *m X = 1%:M -> X = invmx M.
Proof.
move=> H; have U : M \in unitmx.
  by rewrite unitmxE unitfE; apply/eqP => d0; have := congr1 (fun M => \det M) H; rewrite det_mulmx d0 mul0r det1 => /esym/eqP; rewrite oner_eq0.
by rewrite -[X]mul1mx -(mulVmx U) -mulmxA H mulmx1.
Qed.
Lemma inverse_of_product n A B p q : determinant n A != 0 -> determinant n B != 0 ->
  (0 <= p < n)%Z -> (0 <= q < n)%Z ->
  inverse n (fun i j => Sum n (fun k => A i k * B k j)) p q = Sum n (fun k => inverse n B p k * inverse n A k q).
Proof.
move=> /unit_of U /unit_of V /at_ordinal[i ->] /at_ordinal[j ->]; rewrite /inverse product_of entryE.
have -> : invmx (matrix_of n A *m matrix_of n B) = invmx (matrix_of n B) *m invmx (matrix_of n A).
  by apply/esym/inverse_unique; rewrite mulmxA -[_ *m _ *m invmx (matrix_of n B)]mulmxA mulmxV // mulmx1 mulmxV.
by rewrite mxE; apply: eq_bigr => k _; rewrite !entryE.
Qed.
Lemma inverse_scaled n (c : R) A p q : c != 0 -> determinant n A != 0 -> (0 <= p < n)%Z -> (0 <= q < n)%Z ->
  inverse n (fun i j => c * A i j) p q = pw c (Frac (-1) 1) * inverse n A p q.
Proof.
move=> c0 /unit_of U /at_ordinal[i ->] /at_ordinal[j ->]; rewrite /inverse.
have -> : matrix_of n (fun i j => c * A i j) = c *: matrix_of n A by apply/matrixP => a b; rewrite !mxE.
have -> : invmx (c *: matrix_of n A) = c^-1 *: invmx (matrix_of n A).
  by apply/esym/inverse_unique; rewrite -scalemxAl -scalemxAr mulmxV // scalerA mulfV // scale1r.
by rewrite pw_inv !entryE mxE.
Qed.
Lemma determinant_of_inverse n A : determinant n A != 0 ->
  determinant n (fun i j => inverse n A i j) = pw (determinant n A) (Frac (-1) 1).
Proof. by move=> _; rewrite pw_inv /determinant /inverse matrix_of_entry det_inv. Qed.
Lemma inverse_of_inverse n A p q : determinant n A != 0 -> (0 <= p < n)%Z -> (0 <= q < n)%Z ->
  inverse n (fun i j => inverse n A i j) p q = A p q.
Proof.
move=> _ /at_ordinal[i ->] /at_ordinal[j ->]; by rewrite /inverse matrix_of_entry invmxK entryE mxE.
Qed.

Lemma identity_of n : matrix_of n (delta R) = 1%:M.
Proof. by apply/matrixP => i j; rewrite mxE deltaE. Qed.
Lemma determinant_of_identity n : determinant n (delta R) = qr R (Frac 1 1).
Proof. by rewrite /determinant identity_of det1 qr1. Qed.
Lemma inverse_of_identity n p q : (0 <= p < n)%Z -> (0 <= q < n)%Z -> inverse n (delta R) p q = delta R p q.
Proof. by move=> /at_ordinal[i ->] /at_ordinal[j ->]; rewrite /inverse identity_of invmx1 entryE deltaE. Qed.

(* --- derivatives ------------------------------------------------------------------------------ *)

Lemma D_big (I : Type) (r : seq I) (P : pred I) (f : I -> R -> R) (d : I -> R) t : (forall i, isD t (f i) (d i)) ->
  isD t (fun u => \sum_(i <- r | P i) f i u) (\sum_(i <- r | P i) d i).
Proof.
move=> H; elim: r => [|i r IH].
  have -> : (fun u => \sum_(i <- [::] | P i) f i u) = fun=> 0 by apply/funext => u; rewrite big_nil.
  by rewrite big_nil; apply: (D_eq (D_cst 0 t)); rewrite qr0.
have -> : (fun u => \sum_(i <- i :: r | P i) f i u)
    = fun u => (if P i then f i u else 0) + \sum_(i <- r | P i) f i u.
  by apply/funext => u; rewrite big_cons; case: ifP; rewrite ?add0r.
rewrite big_cons; case: ifP => _; first exact: D_add.
by apply: (D_eq (D_add (D_cst 0 t) IH)); rewrite qr0 add0r.
Qed.
Lemma D_product (I : eqType) (r : seq I) (f : I -> R -> R) (d : I -> R) t : uniq r -> (forall i, isD t (f i) (d i)) ->
  isD t (fun u => \prod_(i <- r) f i u) (\sum_(i <- r) d i * \prod_(j <- r | i != j) f j t).
Proof.
move=> Ur H; elim: r Ur => [|i r IH] /=.
  have -> : (fun u => \prod_(i <- [::]) f i u) = fun=> 1 by apply/funext => u; rewrite big_nil.
  by rewrite big_nil => _; apply: (D_eq (D_cst 1 t)); rewrite qr0.
move=> /andP[ir /IH K]; have -> : (fun u => \prod_(i <- i :: r) f i u) = fun u => f i u * \prod_(i <- r) f i u.
  by apply/funext => u; rewrite big_cons.
apply: (D_eq (D_mul (H i) K)); rewrite big_cons big_cons eqxx mulr_sumr; congr (_ + _).
  congr (_ * _); rewrite [in LHS]big_seq_cond [in RHS]big_seq_cond; apply: eq_bigl => j.
  by case: eqP => [<-|]; rewrite ?(negbTE ir) ?andbT ?andbF.
rewrite big_seq [in RHS]big_seq; apply: eq_bigr => j jr; rewrite big_cons ifT 1?mulrCA //.
by apply: contraNneq ir => <-.
Qed.
Lemma D_det N (M : R -> 'M[R]_N) (D : 'M[R]_N) t : (forall i j, isD t (fun u => M u i j) (D i j)) ->
  isD t (fun u => \det (M u)) (\sum_i \sum_j cofactor (M t) i j * D i j).
Proof.
move=> H; have K (s : 'S_N) := D_product (index_enum_uniq (ordinal_finType N)) (fun i => H i (s i)).
apply: (D_eq (D_big _ _ (fun s : 'S_N => D_mul (D_cst ((-1) ^+ s) t) (K s)))).
under eq_bigr => s _ do rewrite qr0 mul0r add0r mulr_sumr.
rewrite exchange_big; apply: eq_bigr => i _ /=.
under [in RHS]eq_bigr => j _ do rewrite expand_cofactor mulr_suml.
rewrite (exchange_big_dep xpredT) //=; apply: eq_bigr => s _.
have E F : \sum_(j | s i == j) F j = F (s i) :> R by rewrite (big_pred1 (s i)) // => j; rewrite eq_sym.
by rewrite E mulrCA [RHS]mulrC.
Qed.
Lemma D_cofactor N (M : R -> 'M[R]_N) (D : 'M[R]_N) i j t : (forall i j, isD t (fun u => M u i j) (D i j)) ->
  {d | isD t (fun u => cofactor (M u) i j) d}.
Proof.
move=> H; have K a b : isD t (fun u => (row' i (col' j (M u))) a b) ((row' i (col' j D)) a b).
  have -> : (fun u => (row' i (col' j (M u))) a b) = fun u => M u (lift i a) (lift j b).
    by apply/funext => u; rewrite !mxE.
  by rewrite !mxE.
by eexists; apply: D_mul (D_cst ((-1) ^+ (i + j)) t) (D_det K).
Qed.
Section Curve.
Variables (n : Z) (t : R) (y : Z -> Z -> R -> R) (d : Z -> Z -> R).
Hypothesis moves : forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> isD t (y p q) (d p q).
Let A p q := y p q t.
Hypothesis regular : determinant n A != 0.
Let M u := matrix_of n (fun p q => y p q u).
Let V := invmx (M t).
Lemma moves_at i j : isD t (fun u => M u i j) (matrix_of n d i j).
Proof.
have -> : (fun u => M u i j) = y (Z.of_nat i) (Z.of_nat j) by apply/funext => u; rewrite mxE.
by rewrite mxE; apply: moves; exact: in_range.
Qed.
Lemma cofactor_of i j : cofactor (M t) i j = \det (M t) * V j i.
Proof.
have U : M t \in unitmx by exact: unit_of.
have -> : cofactor (M t) i j = (\adj (M t)) j i by rewrite mxE.
by rewrite /V /invmx U [in RHS]mxE mulrA mulfV ?mul1r // -unitfE -unitmxE.
Qed.
Lemma D_determinant_of : isD t (fun u => determinant n (fun p q => y p q u))
  (determinant n A * Sum n (fun p => Sum n (fun q => inverse n A q p * d p q))).
Proof.
apply: (D_eq (D_det moves_at)); rewrite /Sum mulr_sumr; apply: eq_bigr => i _; rewrite mulr_sumr.
by apply: eq_bigr => j _; rewrite cofactor_of /inverse entryE [matrix_of n d i j]mxE mulrA.
Qed.
Lemma invmx_moves : exists E : 'M[R]_(Z.to_nat n), forall i j, isD t (fun u => invmx (M u) i j) (E i j).
Proof.
have F i j := D_cofactor j i moves_at.
have d0 : (fun u => \det (M u)) t != 0 by exact: regular.
have Di := D_inv d0 (D_det moves_at).
exists (\matrix_(i, j) (- ((\det (M t))^-1 ^+ 2 * (\sum_i \sum_j cofactor (M t) i j * matrix_of n d i j))
   * cofactor (M t) j i + (\det (M t))^-1 * projT1 (F i j))) => i j; rewrite mxE.
apply: (D_near (f := fun u => (\det (M u))^-1 * cofactor (M u) j i)); last exact: D_mul Di (projT2 (F i j)).
have C := D_continuous (D_det moves_at).
near=> u; have U : M u \in unitmx.
  rewrite unitmxE unitfE; near: u; apply: (C [set x | x != 0]); apply: open_nbhs_nbhs; split => //; exact: open_neq.
by rewrite /invmx U !mxE.
Unshelve. all: by end_near. Qed.
Lemma invmx_slope : exists2 E : 'M[R]_(Z.to_nat n), forall i j, isD t (fun u => invmx (M u) i j) (E i j) &
  E = - (V *m matrix_of n d *m V).
Proof.
have [E H] := invmx_moves; exists E => //; set D := matrix_of n d; have U : M t \in unitmx by exact: unit_of.
have C := D_continuous (D_det moves_at).
have Z : D *m V + M t *m E = 0.
  apply/matrixP => i j; rewrite !mxE -big_split /=.
  have K := D_big (index_enum (ordinal_finType (Z.to_nat n))) xpredT (fun k => D_mul (moves_at i k) (H k j)).
  apply: (D_unique K); apply: (D_near (f := fun=> (1%:M : 'M[R]_(Z.to_nat n)) i j)); last by rewrite -(qr0 R); exact: D_cst.
  near=> u; have W : M u \in unitmx.
    rewrite unitmxE unitfE; near: u; apply: (C [set x | x != 0]); apply: open_nbhs_nbhs; split => //; exact: open_neq.
  by rewrite -(mulmxV W) mxE.
have : invmx (M t) *m (D *m V + M t *m E) = 0 by rewrite Z mulmx0.
by rewrite mulmxDr mulmxA mulmxA mulVmx // mul1mx addrC => /eqP; rewrite addr_eq0 => /eqP.
Unshelve. all: by end_near. Qed.
End Curve.
Lemma D_determinant n t (y : Z -> Z -> R -> R) (d : Z -> Z -> R) :
  (forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> isD t (y p q) (d p q)) ->
  determinant n (fun p q => y p q t) != 0 ->
  isD t (fun u => determinant n (fun p q => y p q u))
    (determinant n (fun p q => y p q t)
     * Sum n (fun p => Sum n (fun q => inverse n (fun p q => y p q t) q p * d p q))).
Proof. exact: D_determinant_of. Qed.
Lemma D_inverse n p q t (y : Z -> Z -> R -> R) (d : Z -> Z -> R) :
  (forall p, (0 <= p < n)%Z -> forall q, (0 <= q < n)%Z -> isD t (y p q) (d p q)) ->
  (0 <= p < n)%Z -> (0 <= q < n)%Z -> determinant n (fun p q => y p q t) != 0 ->
  isD t (fun u => inverse n (fun p q => y p q u) p q)
    (qr R (Frac (-1) 1) * Sum n (fun a => Sum n (fun b =>
       inverse n (fun p q => y p q t) p a * d a b * inverse n (fun p q => y p q t) b q))).
Proof.
move=> H /at_ordinal[i ->] /at_ordinal[j ->] r; have [E K EE] := invmx_slope H r.
have -> : (fun u => inverse n (fun p q => y p q u) (Z.of_nat i) (Z.of_nat j))
    = fun u => invmx (matrix_of n (fun p q => y p q u)) i j by apply/funext => u; rewrite /inverse entryE.
apply: (D_eq (K i j)); rewrite EE mxE qr_opp1 mulN1r -mulmxA mxE; congr (- _); rewrite /Sum; apply: eq_bigr => a _.
rewrite mxE mulr_sumr; apply: eq_bigr => b _; by rewrite /inverse !entryE [matrix_of n d a b]mxE mulrA.
Qed.
End Matrices.
